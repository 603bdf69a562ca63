"""Not found: what an answer says is not there: the version, what it was made from, or its keys."""

import re

from replication.domain.image_version import ImageVersionId

# Azure's words for what is not there (any more); the sentence says what that is.
_GROUP, _PARENT, _RESOURCE = "resourcegroupnotfound", "parentresourcenotfound", "resourcenotfound"
_ABSENT = frozenset({_GROUP, _PARENT, _RESOURCE})
# The provider's own word, of anything.
_ANYTHING = "notfound"
_SOURCE = re.compile(
    r"\bsource\b[^/']{0,60}\bnot (be )?found|make sure the source exists", re.IGNORECASE
)
# What a version can be made from, by id or by type and name.
_MADE_FROM = re.compile(
    r"microsoft\.compute/(images|virtualmachines|disks|snapshots|galleries)/"
    r"|microsoft\.storage/storageaccounts/",
    re.IGNORECASE,
)
_ENCRYPTION_SET = re.compile(r"disk ?encryption ?set", re.IGNORECASE)
_UNDER_GROUP = re.compile(r"under resource group ['\"<]([^'\">]*)['\">]", re.IGNORECASE)
_QUOTED = re.compile(r"['\"<][^'\"<>]+['\">]")


def answers_absent(code: str) -> bool:
    """Tell whether a read was answered that what it asks for, or a parent of it, is not there."""
    return code.lower() in _ABSENT


def tells_gone(code: str, said: str, version_id: ImageVersionId) -> bool:
    """Tell whether code and sentence both say that the version, or a parent of it, is gone."""
    gallery, image, word = version_id.gallery, version_id.image, code.lower()
    tails = ("", f"/images/{image}", f"/images/{image}/versions/{version_id.version}")
    starts = (f"Microsoft.Compute/galleries/{gallery}", version_id.gallery_id)
    names = [f"{start}{tail}" for start in starts for tail in tails]
    if "marked for deletion" in said.lower():
        return _names(said, version_id.version, *names)
    if word == _GROUP:
        return _quotes(said, version_id.resource_group)
    if word == _PARENT and _quotes(said, gallery, f"{gallery}/{image}", image):
        return True
    group = _UNDER_GROUP.search(said)
    if group and group[1].lower() != version_id.resource_group.lower():
        return False  # of the same names, in another group
    return word in _ABSENT | {_ANYTHING} and _names(said, *names)


def tells_source_missing(status: int, code: str, said: str) -> bool:
    """Tell whether an answer is about what the version was made from."""
    if _SOURCE.search(said):
        return True
    word = code.lower()
    not_found = status == 404 and word in _ABSENT | {_ANYTHING}  # noqa: PLR2004 - the number is the name
    if not not_found or _ENCRYPTION_SET.search(said):
        return False
    # A write names nothing else that could be missing.
    return bool(_MADE_FROM.search(said)) or (word == _GROUP and bool(_QUOTED.search(said)))


def tells_encryption_set_missing(said: str) -> bool:
    """Tell whether an answer is about a disk encryption set."""
    return _ENCRYPTION_SET.search(said) is not None


def _names(said: str, *names: str) -> bool:
    """Tell whether a sentence has one of the names, and not as a part of a longer one."""
    return any(
        re.search(rf"(?<![\w/.()-]){re.escape(name)}(?!\.?[\w/()-])", said, re.IGNORECASE)
        for name in names
    )


def _quotes(said: str, *names: str) -> bool:
    """Tell whether a sentence has one of the names in quotes: without, it may be any word."""
    quoted = {found[1:-1].lower() for found in _QUOTED.findall(said)}
    return any(name.lower() in quoted for name in names)
