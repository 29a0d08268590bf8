"""A folded state graph as Graphviz: DOT text, SVG or PNG."""

from __future__ import annotations

import textwrap
from html import escape

import graphviz

from reconcheck.render.causes import COLOURS, Cause
from reconcheck.render.state_graph import Arrow, Node, Picture

FONT = "Helvetica,Arial,sans-serif"
MOST_LABELS = 3
"""Steps named at one arrow, or in one node; the others are counted."""
WIDE = 0.8
"""Width to height of a picture that one reads well: as wide as a screen, and scrolled down."""
CAPTION_WIDTH = 120
"""Characters in a line of the caption."""
WRONG, RIGHT, LOOP, UNKNOWN = "#fbd5d0", "#d9f0d9", "#fdeac8", "#eeeeee"


class GraphvizError(Exception):
    """Graphviz's `dot` is not installed, or fails; the message says which."""


def dot(picture: Picture, rankdir: str = "TB") -> str:
    """The picture in the DOT language."""
    source: str = _digraph(picture, rankdir).source
    return source


def render(picture: Picture, format_: str) -> bytes:
    """The picture as svg or png, laid out so that it fits a screen best.  Raises `GraphvizError`."""
    try:
        shapes = [(rankdir, _shape(_digraph(picture, rankdir))) for rankdir in ("TB", "LR")]
        rankdir, (width, height) = min(shapes, key=lambda one: _waste(*one[1]))
        digraph = _digraph(picture, rankdir)
        digraph.attr(dpi="72" if format_ == "svg" else _resolution(width, height))
        image: bytes = digraph.pipe(format=format_)
    except graphviz.ExecutableNotFound as error:
        raise GraphvizError("Graphviz's program `dot` is not installed") from error
    except graphviz.CalledProcessError as error:
        reason = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        raise GraphvizError(f"Graphviz's program `dot` failed: {reason[0] if reason else error}") from error
    return image


def _shape(digraph: graphviz.Digraph) -> tuple[float, float]:
    """Width and height in inches of what Graphviz makes of it."""
    first = digraph.pipe(format="plain", encoding="utf-8").splitlines()[0].split()
    return float(first[2]), float(first[3])


def _waste(width: float, height: float) -> float:
    """How large a page of that shape has to be to hold it."""
    return max(width / WIDE, height)


def _resolution(width: float, height: float) -> str:
    """Dots per inch: enough to read, and no picture beyond what viewers open."""
    return str(round(max(40.0, min(120.0, 6000 / max(width, height)))))


def _digraph(picture: Picture, rankdir: str) -> graphviz.Digraph:
    digraph = graphviz.Digraph(picture.title)
    digraph.attr(rankdir=rankdir, label=_caption(picture), labelloc="b", labeljust="l", fontname=FONT, fontsize="11")
    digraph.attr(nodesep="0.25", ranksep="0.4", bgcolor="white", splines="true", pad="0.2")
    digraph.attr("node", fontname=FONT, fontsize="11", shape="box", margin="0.09,0.05", color="#666666")
    digraph.attr("edge", fontname=FONT, fontsize="9", arrowsize="0.7")
    for number in picture.graph.nodes:
        node = picture.node(number)
        digraph.node(f"n{number}", _node_label(picture, number, node), **_node_style(node))
        if node.initial:
            digraph.node(f"start{number}", shape="point", width="0.09", color="#222222", label="")
            digraph.edge(f"start{number}", f"n{number}", color="#222222")
    for source, target in picture.graph.edges:
        arrows = picture.arrows(source, target)
        digraph.edge(f"n{source}", f"n{target}", _arrow_label(picture, source, arrows), **_arrow_style(arrows))
    return digraph


def _node_style(node: Node) -> dict[str, str]:
    quiet = node.status == "quiet"
    fill = "white"
    if quiet and node.goal is not None:
        fill = RIGHT if node.goal else WRONG
    elif node.status == "livelock":
        fill = LOOP
    elif node.status == "unknown":
        fill = UNKNOWN
    elif node.end and not node.goal:
        fill = WRONG
    width = "2.2" if node.on_path else "1.6" if quiet else "0.8"
    return {
        "style": "filled" if quiet else "filled,rounded",
        "fillcolor": fill,
        "peripheries": "2" if node.goal else "1",
        "penwidth": width,
        "color": "#111111" if node.on_path or quiet else "#777777",
    }


def _node_label(picture: Picture, number: int, node: Node) -> str:
    wrapped = [line for text in node.position for line in textwrap.wrap(text, 32, break_long_words=False)]
    lines = [f"<B>{escape(line)}</B>" for line in wrapped]
    lines += [escape(text) for text in textwrap.wrap(", ".join(node.facts), 30, break_long_words=False)]
    if node.states > 1:
        lines.append(f'<FONT POINT-SIZE="8" COLOR="#777777">{node.states:,} states</FONT>')
    taken = tuple(arrow for arrow in node.inside if arrow.numbers)
    lines += [f'<FONT POINT-SIZE="9">&#8635; {text}</FONT>' for text in _texts(picture, number, taken)]
    others = _texts(picture, number, tuple(arrow for arrow in node.inside if not arrow.numbers))
    if others:
        lines.append(f'<FONT POINT-SIZE="8">&#8635; {", ".join(others)}</FONT>')
    return f"<{'<BR/>'.join(lines) or '&#160;'}>"


def _arrow_label(picture: Picture, source: int, arrows: tuple[Arrow, ...]) -> str:
    """The steps of an arrow, one below the other, with some room to the line."""
    texts = [f"&#160;&#160;{text}&#160;" for text in _texts(picture, source, arrows)]
    return f"<{'<BR/>'.join(texts)}>" if texts else ""


def _texts(picture: Picture, source: int, arrows: tuple[Arrow, ...]) -> list[str]:
    """The first labels in their colours, and how many more there are."""
    named: dict[str, Arrow] = {}
    for arrow in arrows:
        text = picture.text(source, arrow)
        if text:
            named.setdefault(text, arrow)
    shown: list[str] = []
    for text, arrow in list(named.items())[:MOST_LABELS]:
        coloured = f'<FONT COLOR="{COLOURS[arrow.label.cause]}">{escape(text)}</FONT>'
        shown.append(f"<B>{coloured}</B>" if arrow.numbers else coloured)
    if len(named) > MOST_LABELS:
        shown.append(f'<FONT COLOR="#777777">+{len(named) - MOST_LABELS} more</FONT>')
    return shown


def _arrow_style(arrows: tuple[Arrow, ...]) -> dict[str, str]:
    first = {arrow.label.text: arrow.label.cause for arrow in reversed(arrows)}
    causes = sorted(set(first.values()), key=list(Cause).index)
    on_path = any(arrow.numbers for arrow in arrows)
    if on_path:
        causes = [next(arrow.label.cause for arrow in arrows if arrow.numbers)]
    style = "solid"
    if all(arrow.label.cause is Cause.FAULT for arrow in arrows):
        style = "dotted"
    elif all(arrow.label.unseen for arrow in arrows):
        style = "dashed"
    return {
        "color": ":".join(COLOURS[cause] for cause in causes),
        "style": style,
        "penwidth": "3.2" if on_path else "1.1",
        "weight": "6" if on_path else "1",
    }


def _caption(picture: Picture) -> str:
    """The title, what was folded, and the legend, as one HTML-like label."""
    title = f'<B><FONT POINT-SIZE="14">{escape(picture.title)}</FONT></B>'
    rows = [f'<TR><TD ALIGN="LEFT" COLSPAN="3">{title}</TD></TR>']
    for sentence in picture.caption:
        wrapped = "<BR ALIGN='LEFT'/>".join(escape(line) for line in textwrap.wrap(sentence, CAPTION_WIDTH))
        rows.append(f'<TR><TD ALIGN="LEFT" BALIGN="LEFT" COLSPAN="3">{wrapped}</TD></TR>')
    notes = ["&#8635; steps that stay in a node", "dot with an arrow: runs begin here"]
    if picture.judgement is not None and picture.judgement.path:
        notes.append("bold, numbered: the path of the goal")
    columns = (
        [(_legend_line(cause), "") for cause in picture.causes],
        _legend_shapes(picture),
        [(note, "") for note in notes],
    )
    for index in range(max(len(column) for column in columns)):
        cells = [column[index] if index < len(column) else ("", "") for column in columns]
        rows.append("<TR>" + "".join(_cell(text, colour) for text, colour in cells) + "</TR>")
    return f'<<TABLE BORDER="0" CELLSPACING="1" CELLPADDING="2">{"".join(rows)}</TABLE>>'


def _cell(text: str, colour: str) -> str:
    fill = f' BGCOLOR="{colour}"' if colour else ""
    return f'<TD ALIGN="LEFT"{fill}>{text}</TD>'


def _legend_line(cause: Cause) -> str:
    dash, dot = "&#9473;", "&#183;"
    line = f"{dash} {dash}" if cause is Cause.ENVIRONMENT else dot * 5 if cause is Cause.FAULT else dash * 3
    return f'<FONT COLOR="{COLOURS[cause]}"><B>{line}</B> {escape(cause.value)}</FONT>'


def _legend_shapes(picture: Picture) -> list[tuple[str, str]]:
    """What shapes and fills mean, as far as they occur, each with its colour."""
    nodes = [picture.node(number) for number in picture.graph.nodes]
    asked = picture.judgement is not None
    quiet = [node for node in nodes if node.status == "quiet"]
    shapes: list[tuple[str, str]] = []
    if any(node.goal for node in nodes):
        shapes.append(("double border: the goal holds", ""))
    if quiet and (not asked or any(node.goal for node in quiet)):
        shapes.append(("square: nothing must happen any more", RIGHT if asked else ""))
    if any(node.goal is False for node in quiet):
        shapes.append(("square: nothing must happen, the goal is false", WRONG))
    elif any(node.end and node.goal is False and not node.status for node in nodes):
        shapes.append(("the goal is false here", WRONG))
    if any(node.status == "livelock" for node in nodes):
        shapes.append(("a run can stay here for ever", LOOP))
    if any(node.status == "unknown" for node in nodes):
        shapes.append(("not followed further", UNKNOWN))
    return shapes
