"""Belebele: 900 questions on 488 FLORES-200 passages, parallel in 122 languages (arXiv 2308.16884), CC BY-SA 4.0.

A question is a query; the passage that it was asked about is relevant to it, in every language. Built for reading
comprehension: that no other passage answers a question was not judged. MTEB makes the same collection of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hybridlib.corpora.collection import Collection
from hybridlib.corpora.hub import hub_rows, hub_split, pinned
from hybridlib.errors import InputError

SOURCE = "facebook/belebele"
REVISIONS = {
    SOURCE: "7899cdfa4e1e0d733fd77c848e2c273cb1d32be2",
    "mteb/belebele": "979a211276faa22f671e69d096634193567cfd05",
}
_TABLE = """
ar arb_Arab  bn ben_Beng  cs ces_Latn  da dan_Latn  de deu_Latn  el ell_Grek  en eng_Latn  es spa_Latn  fa pes_Arab
fi fin_Latn  fil tgl_Latn fr fra_Latn  he heb_Hebr  hi hin_Deva  hr hrv_Latn  hu hun_Latn  id ind_Latn  it ita_Latn
ja jpn_Jpan  ko kor_Hang  mi mri_Latn  nl nld_Latn  no nob_Latn  pl pol_Latn  pt por_Latn  ro ron_Latn  ru rus_Cyrl
sk slk_Latn  sv swe_Latn  sw swh_Latn  te tel_Telu  th tha_Thai  tr tur_Latn  uk ukr_Cyrl  vi vie_Latn  zh zho_Hans
"""
CODES: dict[str, str] = dict(zip(_TABLE.split()[::2], _TABLE.split()[1::2], strict=True))
_COLUMNS = ("link", "question_number", "flores_passage", "question")


def load(languages: Sequence[str], *, source: str = SOURCE, revision: str | None = None) -> Collection:
    """Load the questions and passages of one or several languages.

    A question's concept is the passage's link and the question's number, ``https://…#1``; ids have the language in
    front, ``de/https://…#1`` for the query and ``de/https://…`` for the passage.

    Args:
        languages: codes in :data:`CODES`; Tagalog stands for ``fil``, Bokmål for ``no``, simplified script for ``zh``.
        source: a repository of the hub, or a local folder of its form: a configuration a language (``deu_Latn``) with
            the split ``test`` and the columns ``link``, ``question_number``, ``flores_passage``, ``question``.
        revision: its commit; may be left out for those in :data:`REVISIONS` and for a folder.

    Raises:
        InputError: naming repository, configuration, row and value; also for a question that stands twice, and for a
            language whose questions are not those of the others.
    """
    languages = list(dict.fromkeys(languages))
    unknown = [code for code in languages if code not in CODES]
    if unknown or not languages:
        found = repr(unknown[0]) if unknown else "none"
        raise InputError(f"belebele: found language {found}, expected one or several of {' '.join(CODES)}")
    commit = pinned(source, revision, REVISIONS)
    table = pd.concat([_language(source, language, commit) for language in languages], ignore_index=True)
    for language, rows in table.groupby("language"):
        other = set(table["concept"]) ^ set(rows["concept"])
        if other:
            raise InputError(
                f"{source} {CODES[str(language)]}: found {len(rows)} questions, expected those of the other languages, "
                f"also {min(other)}"
            )
    first = table[~table.duplicated(["language", "link"])]
    several = table.drop_duplicates(["language", "link", "passage"]).duplicated(["language", "link"])
    note = f"{several.sum()} passages are written differently for their second question; the first form is kept"
    passages = pd.DataFrame(
        {"id": first["language"] + "/" + first["link"], "language": first["language"], "text": first["passage"]}
    )
    queries = table.assign(id=table["language"] + "/" + table["concept"]).rename(columns={"question": "text"})
    qrels = queries[["id", "link"]].merge(passages.assign(link=first["link"])[["id", "link"]], on="link")
    return Collection.from_tables(
        queries,
        passages,
        pd.DataFrame({"query": qrels["id_x"], "passage": qrels["id_y"], "relevance": 1}),
        "belebele",
        (note,) if several.any() else (),
    )


def _language(source: str, language: str, commit: str | None) -> pd.DataFrame:
    """Return ``concept``, ``language``, ``link``, ``passage``, ``question``, one row a question."""
    rows: dict[str, tuple[str, ...]] = {}
    table = hub_split(source, CODES[language], commit, "test")
    for where, (link, number, passage, question) in hub_rows(table, _COLUMNS, f"{source} {CODES[language]}"):
        concept = f"{link}#{number}"
        if concept in rows:
            raise InputError(f"{where}: found question {concept} again, expected it once")
        rows[concept] = (concept, language, link, passage, question)
    return pd.DataFrame(rows.values(), columns=["concept", "language", "link", "passage", "question"], dtype="str")
