from genlab.spec import Spec

__all__ = ["Spec"]
