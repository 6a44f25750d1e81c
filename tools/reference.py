"""Writes docs/reference/ops.md: every op's schema and doc, from the registry."""

import textwrap
from pathlib import Path

from flambeau import _C

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "ops.md"


def entry(row: dict) -> str:
    doc = textwrap.dedent(row["doc"]).strip()
    head, arrow, example = doc.partition(">>>")
    code = f"\n```python\n{arrow}{example.rstrip()}\n```\n" if arrow else ""
    facts = [row["kind"]] + ["in-place form"] * row["in_place"] + ["differentiable"] * row["differentiable"]
    return f"### {row['name']}\n\n`{row['schema']}` ({', '.join(facts)})\n\n{head.strip()}\n{code}"


def main() -> None:
    rows = [row for row in _C._op_table() if not row["name"].startswith("_")]
    rows.sort(key=lambda row: row["schema"])
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("# Ops\n\n" + "\n".join(entry(row) for row in rows))
    print(f"{TARGET}: {len(rows)} ops")


if __name__ == "__main__":
    main()
