#!/usr/bin/env python3
"""fetch_wheel_files.py FOLDER GLOB... -- WHEEL==VERSION...

Puts the files of wheels of PyPI whose path matches a pattern below FOLDER, without the `nvidia/NAME/` they lie under.
A wheel of a CUDA library has half a gigabyte, its headers some hundred kilobytes: only the parts of the file that hold
them are fetched. PIP_INDEX_URL names another index, as for pip; it must speak the JSON form of the simple API.
"""

import fnmatch
import io
import json
import os
import pathlib
import sys
import urllib.request
import zipfile

INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
BLOCK = 1 << 16


class RemoteFile(io.RawIOBase):
    """A file of a server that gives parts of it."""

    def __init__(self, url):
        self.url, self.position = url, 0
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=60) as answer:
            self.size = int(answer.headers["Content-Length"])

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=io.SEEK_SET):
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        return self.position

    def readinto(self, buffer):
        end = min(self.position + len(buffer), self.size)
        if end <= self.position:
            return 0
        request = urllib.request.Request(self.url, headers={"Range": f"bytes={self.position}-{end - 1}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            if answer.status != 206:
                raise OSError(f"{self.url}: the server gives whole files only")
            data = answer.read()
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


def url_of(wheel):
    name, version = wheel.split("==")
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{INDEX}/{name}/", headers=accept), timeout=60) as answer:
        files = json.load(answer)["files"]
    for file in files:
        parts = file["filename"].split("-")
        if file["filename"].endswith("x86_64.whl") and parts[1] == version:
            return file["url"]
    raise OSError(f"{INDEX} has no x86_64 wheel {wheel}")


def fetch(wheel, patterns, folder):
    with zipfile.ZipFile(io.BufferedReader(RemoteFile(url_of(wheel)), BLOCK)) as archive:
        entries = [e for e in archive.infolist() if any(fnmatch.fnmatch(e.filename, p) for p in patterns)]
        if not entries:
            raise OSError(f"{wheel} has no file like {' '.join(patterns)}")
        for entry in entries:
            path = folder.joinpath(*pathlib.PurePosixPath(entry.filename).parts[2:])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(entry))
        return len(entries)


def main(arguments):
    middle = arguments.index("--")
    folder, patterns, wheels = pathlib.Path(arguments[0]), arguments[1:middle], arguments[middle + 1 :]
    for wheel in wheels:
        try:
            count = fetch(wheel, patterns, folder)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            sys.exit(f"error: {wheel}: {error}")
        print(f"{wheel}: {count} files")


main(sys.argv[1:])
