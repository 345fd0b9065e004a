"""Names of kernel modules: letters, digits, `_` and `-`, as modprobe takes them.

A name is at most 55 bytes long on 64-bit kernels: MODULE_NAME_LEN is `64 - sizeof(unsigned long)`, the NUL at its end included
(include/linux/moduleparam.h, where it long was MAX_PARAM_PREFIX_LEN, and include/linux/module.h).
One that begins with `-` is an option to whoever is told to load it.

>>> is_module_name("vfio-pci"), is_module_name("-rf")
(True, False)
"""

from __future__ import annotations

LONGEST = 55


def is_module_name(text: str) -> bool:
    """Whether the kernel could have a module called that."""
    letters = text.replace("_", "").replace("-", "")
    return len(text) <= LONGEST and letters.isascii() and letters.isalnum() and text[0] != "-"
