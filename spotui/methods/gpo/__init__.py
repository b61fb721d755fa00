"""GPO, and the five methods that are special cases of it (Tang et al., arXiv 2402.17564)."""

from spotui.methods.gpo.presets import APE, APO, GPO, OPRO, PE2, SGDM

__all__ = ["APE", "APO", "GPO", "OPRO", "PE2", "SGDM"]
