"""Tests of reports and receipts."""
