"""Describe an exported dataset in Croissant 1.0: its files with their sums, the fields of its tables.

`bench/croissant.py` checks one with the standard's own library.
"""

from __future__ import annotations

from typing import Any

from forge_assets.datasets.export.dataset_card import ColumnInfo, Contents, DatasetInfo, File

MARK = "model-forge"
"""A keyword of every export: an earlier one is known by it."""

TYPES = {"text": "sc:Text", "integer": "sc:Integer", "float": "sc:Float", "boolean": "sc:Boolean", "date": "sc:Date"}
OF_CROISSANT = (
    "citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes isLiveDataset "
    "jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source "
    "subField transform"
)
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{name: f"cr:{name}" for name in OF_CROISSANT.split()},
}


def croissant(info: DatasetInfo, contents: Contents) -> dict[str, Any]:
    """Build the JSON-LD document, paths relative to the export's folder."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": f"{CONTEXT['cr']}1.0",
        "name": info.name,
        "description": info.summary,
        "version": info.version,
        "license": info.licence,
        "citeAs": f"{info.title}, version {info.version}",
        **({"datePublished": info.published.isoformat()} if info.published else {}),
        "inLanguage": list(contents.languages),
        "keywords": [MARK, *info.tags],
        "isLiveDataset": False,
        "distribution": [
            *(_file(split.table, "application/x-parquet") for split in contents.splits),
            *(_file(split.messages, "application/x-parquet") for split in contents.splits),
            *(_file(split.lines, "application/jsonlines") for split in contents.splits),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": split.name,
                "name": split.name,
                "description": f"{split.rows} samples.",
                "key": {"@id": f"{split.name}/sample_id"},
                "field": [_field(split.name, split.table, column) for column in contents.columns],
            }
            for split in contents.splits
        ],
    }


def _file(file: File, encoding: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "contentUrl": file.path,
        "contentSize": f"{file.size} B",
        "encodingFormat": encoding,
        "sha256": file.sha256,
    }


def _field(record_set: str, table: File, column: ColumnInfo) -> dict[str, Any]:
    source = {"fileObject": {"@id": table.path}, "extract": {"column": column.name}}
    described = {"description": column.description} if column.description else {}
    return _typed(f"{record_set}/{column.name}", column, source) | described


def _typed(identity: str, column: ColumnInfo, source: dict[str, Any]) -> dict[str, Any]:
    """A field with its type, or with the fields that its values are made of."""
    field: dict[str, Any] = {"@type": "cr:Field", "@id": identity, "name": column.name}
    if column.repeated:
        field["repeated"] = True
    if column.parts:
        inner = [
            _typed(f"{identity}/{part.name}", part, {**source, "transform": {"jsonPath": part.name}})
            for part in column.parts
        ]
        return field | {"subField": inner}
    return field | {"dataType": TYPES[column.kind], "source": source}
