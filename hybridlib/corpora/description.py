"""What a YAML file says of a data set: where it is and which of its columns are what; see :mod:`.mapping`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from hybridlib.corpora.lines import checked_language
from hybridlib.errors import InputError
from hybridlib.plain_text import brief, checked_label, is_name
from hybridlib.validation import explained
from hybridlib.yaml_file import read_yaml

_PLACE = "{language}"


class Columns(BaseModel):
    """Names of columns; ``query`` and ``passage``, or ``text`` for one whose texts serve as either."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    query: str | None = None
    passage: str | None = None
    text: str | None = None
    concept: str | None = Field(None, description="rows with one value mean the same; None: each row is a concept")
    language: str | None = Field(None, description="None: the language that {language} stands for, or the only one")

    @model_validator(mode="after")
    def _roles_fit(self) -> Columns:
        if bool(self.query and self.passage) == bool(self.text) or bool(self.query) != bool(self.passage):
            given = ", ".join(self.model_dump(exclude_none=True)) or "nothing"
            raise ValueError(f"found {given} in columns, expected either query and passage, or text")
        return self


class Description(BaseModel):
    """What a YAML file says of a data set. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, description="how reports call the corpus")
    source: str = Field(min_length=1, description="hub id with a revision, else a file, pattern or folder")
    revision: str | None = Field(None, min_length=1, description="commit (40 hexadecimal digits) or tag on the hub")
    subset: str | None = Field(None, description="the hub's configuration name")
    split: str | None = Field(None, description="of a hub data set; None: train; may be cut, as in train[:1000]")
    languages: dict[str, str] | None = Field(None, description="code -> what the data call it, or a list of codes")
    columns: Columns
    parallel: bool = Field(False, description="row n of each language is one concept")

    @field_validator("name")
    @classmethod
    def _label(cls, value: str) -> str:
        return checked_label(value, "name")

    @field_validator("languages", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {f"{code}": code for code in value} if isinstance(value, list) else value

    @field_validator("languages")
    @classmethod
    def _codes(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        for code in value or ():
            checked_language(code, "languages")
        if value is not None and len(set(value.values())) < max(len(value), 1):
            raise ValueError(f"found languages {value}, expected one or more, each called differently")
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> Description:
        count = len(self.languages or ())
        called = (self.languages or {}).values()
        for text in (self.source, self.subset, self.split, self.revision, *self.columns.model_dump().values(), *called):
            if text is not None and not is_name(text):
                raise ValueError(f"found {brief(text)}, expected a short line without controls")
        if self.is_divided and not count:
            raise ValueError(f"found {_PLACE} and no languages, expected their codes")
        if not self.is_divided and not self.columns.language and count != 1:
            raise ValueError(f"found {count} languages, expected one, or a column for the language, or {_PLACE}")
        if self.parallel and (self.columns.concept or not self.is_divided):
            raise ValueError(f"found parallel, expected it with {_PLACE} and without a column for the concept")
        if self.columns.text and not self.columns.concept and not self.parallel:
            raise ValueError("found nothing that tells which texts mean the same, expected columns.concept or parallel")
        return self

    @property
    def is_divided(self) -> bool:
        """Whether each language is read by itself."""
        texts = (self.source, self.subset, self.split, *self.columns.model_dump().values())
        return any(_PLACE in text for text in texts if text)

    def at(self, called: str) -> Description:
        """Return the description with ``{language}`` replaced."""

        def filled(model: BaseModel) -> Any:
            return {key: value.replace(_PLACE, called) for key, value in model if isinstance(value, str)}

        return self.model_copy(update={**filled(self), "columns": Columns(**filled(self.columns))})


def read_description(path: Path) -> Description:
    """Read a description, or raise an error that names the file and every wrong value."""
    try:
        return Description.model_validate(read_yaml(path, "a description of a data set"))
    except FileNotFoundError:
        raise InputError(f"{path}: found no such file, expected a description of a data set") from None
    except ValidationError as error:
        raise InputError("\n".join(f"{path}: {_said(item)}" for item in error.errors())) from None


def _said(item: ErrorDetails) -> str:
    known = Columns.model_fields if item["loc"][:1] == ("columns",) else Description.model_fields
    return explained(item, "name", known) + (" in quotes" if item["type"] == "string_type" else "")
