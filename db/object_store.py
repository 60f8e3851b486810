"""Which object store the settings mean."""

import re
from pathlib import Path

from db.folder_objects import FolderObjects
from protocols.ports import ObjectStore


def open_object_store(
    url: str,
    *,
    default_folder: Path,
    endpoint_url: str = "",
    region: str = "",
    access_key_id: str = "",
    secret_access_key: str = "",
) -> ObjectStore:
    """The store of `folder:`, `folder:/PATH` or `s3://BUCKET[/PREFIX]`; nothing is asked of it yet.

    `folder:` is `default_folder`, made when it is needed. A folder that is named must be there: it
    may be another disk, and one that is not mounted would let the archive fill this one. The rest
    is for S3. Raises ValueError for a URL that is none of these.
    """
    if url == "folder:":
        return FolderObjects(default_folder)
    if url.startswith("folder:/"):
        return FolderObjects(Path(url.removeprefix("folder:")), make=False)
    named = re.fullmatch(r"s3://(?P<bucket>[^/]+)(?:/(?P<prefix>.*))?", url)
    if named is None:
        raise ValueError(f"{url!r} is neither a folder nor a bucket")
    # boto3 takes a tenth of a second to import, which a venue with a folder need not wait for.
    from db.s3_objects import S3Objects

    return S3Objects(
        named["bucket"],
        named["prefix"] or "",
        endpoint_url=endpoint_url,
        region=region,
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
    )
