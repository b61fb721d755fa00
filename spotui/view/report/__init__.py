"""Reports: a run or a race as one file, and the receipt that its figures are verified by."""
