"""A folded state graph as a Mermaid flowchart, for Markdown pages."""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.render.causes import COLOURS, Cause
from reconcheck.render.dot import LOOP, MOST_LABELS, RIGHT, UNKNOWN, WRONG
from reconcheck.render.state_graph import Arrow, Node, Picture

COLOUR_NAMES = {
    "#1f6fd0": "blue",
    "#d9730d": "orange",
    "#c62828": "red",
    "#222222": "black",
    "#2e7d32": "green",
    "#888888": "grey",
    "#8e44ad": "purple",
}
"""What the legend calls the colours: Mermaid has no coloured words."""


def mermaid(picture: Picture) -> str:
    """The picture in Mermaid's language; the caption and the legend are a node of their own."""
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    yield "---"
    yield f'title: "{picture.title}"'
    yield "---"
    yield "flowchart TB"
    styles: list[str] = []
    index = 0
    for number in picture.graph.nodes:
        node = picture.node(number)
        yield f"  {_node(picture, number, node)}"
        if node.initial:
            yield f"  start{number}(( )) --> n{number}"
            styles.append(f"  linkStyle {index} stroke:#222222")
            index += 1
    for source, target in picture.graph.edges:
        arrows = picture.arrows(source, target)
        texts = _texts(picture, source, arrows)
        on_path = any(arrow.numbers for arrow in arrows)
        faint = all(a.label.unseen or a.label.cause is Cause.FAULT for a in arrows)
        line = "==>" if on_path else "-.->" if faint else "-->"
        label = f'|"{"<br/>".join(texts)}"|' if texts else ""
        yield f"  n{source} {line}{label} n{target}"
        cause = next((a.label.cause for a in arrows if a.numbers), arrows[0].label.cause)
        styles.append(f"  linkStyle {index} stroke:{COLOURS[cause]},stroke-width:{'4' if on_path else '1.5'}px")
        index += 1
    legend = [*picture.caption, *_legend(picture)]
    yield f'  legend["{"<br/>".join(_escape(line) for line in legend)}"]'
    yield from styles
    yield f"  classDef wrong fill:{WRONG},stroke:#111111"
    yield f"  classDef right fill:{RIGHT},stroke:#111111"
    yield f"  classDef loop fill:{LOOP}"
    yield f"  classDef unknown fill:{UNKNOWN}"
    yield "  classDef path stroke:#111111,stroke-width:3px"
    yield "  classDef plain fill:#ffffff,stroke:#777777"
    yield "  classDef legend fill:#ffffff,stroke:#cccccc,text-align:left"
    yield "  class legend legend"
    for number in picture.graph.nodes:
        node = picture.node(number)
        yield f"  class n{number} {_class(node)}"
        if node.on_path:
            yield f"  class n{number} path"


def _class(node: Node) -> str:
    if node.status == "quiet" and node.goal is not None:
        return "right" if node.goal else "wrong"
    if node.end and not node.goal:
        return "wrong"
    return {"livelock": "loop", "unknown": "unknown"}.get(node.status, "plain")


def _node(picture: Picture, number: int, node: Node) -> str:
    lines = [*(f"<b>{_escape(text)}</b>" for text in node.position), *(_escape(text) for text in node.facts)]
    if node.states > 1:
        lines.append(f"<i>{node.states:,} states</i>")
    lines += [f"#8635; {text}" for text in _texts(picture, number, node.inside)]
    text = "<br/>".join(lines) or " "
    if node.goal:
        return f'n{number}[["{text}"]]'
    return f'n{number}["{text}"]' if node.status == "quiet" else f'n{number}("{text}")'


def _texts(picture: Picture, source: int, arrows: tuple[Arrow, ...]) -> list[str]:
    texts = [text for text in dict.fromkeys(picture.text(source, arrow) for arrow in arrows) if text]
    shown = [_escape(text) for text in texts[:MOST_LABELS]]
    return [*shown, f"+{len(texts) - MOST_LABELS} more"] if len(texts) > MOST_LABELS else shown


def _legend(picture: Picture) -> Iterator[str]:
    for cause in picture.causes:
        yield f"{COLOUR_NAMES[COLOURS[cause]]}: {cause.value}"
    nodes = [picture.node(number) for number in picture.graph.nodes]
    if any(node.goal for node in nodes):
        yield "double side lines: the goal holds"
    if any(node.status == "quiet" for node in nodes):
        yield "square, filled: nothing must happen any more (green: the goal holds, red: it does not)"
    if any(node.status == "livelock" for node in nodes):
        yield "yellow: a run can stay here for ever"
    if any(node.status == "unknown" for node in nodes):
        yield "grey: not followed further"


def _escape(text: str) -> str:
    """Text that Mermaid does not read as its own: quotes, angle brackets, and `1. ` (a Markdown list)."""
    for mark, code in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), (". ", "#46; ")):
        text = text.replace(mark, code)
    return text
