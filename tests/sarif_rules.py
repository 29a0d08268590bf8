"""What SARIF 2.1.0 asks of the objects that reconcheck writes: their properties, and what refers to what.

The properties are those of the standard's schema, in the form of a JSON Schema; `problems` holds the rules that a
schema cannot express, each with the property of the standard that it is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlparse

Json = dict[str, Any]


def one(required: str = "", **properties: Json) -> Json:
    """An object of the standard; every object may have a property bag."""
    bag = {"type": "object", "properties": {"tags": some({"type": "string"})}}
    return {
        "type": "object",
        "required": required.split(),
        "properties": {**properties, "properties": bag},
        "additionalProperties": False,
    }


def some(items: Json, least: int = 0) -> Json:
    return {"type": "array", "items": items, "minItems": least}


def named(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


def word(*values: str) -> Json:
    return {"enum": list(values)}


def ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 1}
INDEX: Json = {"type": "integer", "minimum": 0}
LEVEL = word("none", "note", "warning", "error")
MESSAGE = one("text", text=TEXT, markdown=TEXT)
SHAPES: dict[str, Json] = {
    "artifactLocation": one(uri=TEXT, uriBaseId=TEXT, index=INDEX, description=MESSAGE),
    "region": one("startLine", startLine=COUNT, startColumn=COUNT, endLine=COUNT, endColumn=COUNT),
    "location": one(
        id=INDEX,
        physicalLocation=one("artifactLocation", artifactLocation=ref("artifactLocation"), region=ref("region")),
        logicalLocations=some(one(name=TEXT, fullyQualifiedName=TEXT, kind=TEXT)),
        message=MESSAGE,
        relationships=some(one("target", target=INDEX, kinds=some(TEXT), description=MESSAGE)),
    ),
    "descriptor": one(
        "id",
        id=TEXT,
        name=TEXT,
        shortDescription=MESSAGE,
        fullDescription=MESSAGE,
        help=MESSAGE,
        helpUri=TEXT,
        defaultConfiguration=one(level=LEVEL),
    ),
    "notification": one(
        "message",
        descriptor=one(id=TEXT, index=INDEX),
        level=LEVEL,
        message=MESSAGE,
        locations=some(ref("location")),
    ),
    "step": one(
        location=ref("location"),
        executionOrder=INDEX,
        nestingLevel=INDEX,
        importance=word("important", "essential", "unimportant"),
        state=named(MESSAGE),
    ),
    "flow": one(
        "threadFlows",
        message=MESSAGE,
        threadFlows=some(
            one("locations", id=TEXT, message=MESSAGE, initialState=named(MESSAGE), locations=some(ref("step"), 1)), 1
        ),
    ),
    "fix": one(
        "artifactChanges",
        description=MESSAGE,
        artifactChanges=some(
            one(
                "artifactLocation replacements",
                artifactLocation=ref("artifactLocation"),
                replacements=some(one("deletedRegion", deletedRegion=ref("region"), insertedContent=one(text=TEXT)), 1),
            ),
            1,
        ),
    ),
    "result": one(
        "message ruleId ruleIndex locations partialFingerprints suppressions",
        ruleId=TEXT,
        ruleIndex=INDEX,
        kind=word("notApplicable", "pass", "fail", "review", "open", "informational"),
        level=LEVEL,
        message=MESSAGE,
        locations=some(ref("location"), 1),
        partialFingerprints=named(TEXT),
        codeFlows=some(ref("flow")),
        relatedLocations=some(ref("location")),
        suppressions=some(
            one(
                "kind",
                kind=word("inSource", "external"),
                status=word("accepted", "underReview", "rejected"),
                justification=TEXT,
                location=ref("location"),
            )
        ),
        fixes=some(ref("fix")),
    ),
    "run": one(
        "tool results columnKind",
        tool=one(
            "driver",
            driver=one(
                "name",
                name=TEXT,
                version=TEXT,
                semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                shortDescription=MESSAGE,
                language={"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"},
                rules=some(ref("descriptor")),
                notifications=some(ref("descriptor")),
            ),
        ),
        invocations=some(
            one(
                "executionSuccessful",
                executionSuccessful={"type": "boolean"},
                exitCode={"type": "integer"},
                exitCodeDescription=TEXT,
                toolExecutionNotifications=some(ref("notification")),
                toolConfigurationNotifications=some(ref("notification")),
            )
        ),
        columnKind=word("utf16CodeUnits", "unicodeCodePoints"),
        defaultEncoding=TEXT,
        originalUriBaseIds=named(ref("artifactLocation")),
        versionControlProvenance=some(
            one("repositoryUri", repositoryUri=TEXT, revisionId=TEXT, mappedTo=ref("artifactLocation"))
        ),
        artifacts=some(one(location=ref("artifactLocation"), roles=some(word("analysisTarget")), sourceLanguage=TEXT)),
        results=some(ref("result")),
    ),
}
SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": SHAPES,
    **one("version runs", version={"const": "2.1.0"}, runs=some(ref("run"), 1), **{"$schema": {"type": "string"}}),
}


def every(node: Any, key: str) -> Iterator[Any]:
    """The values of a property, wherever it is."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from every(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from every(item, key)


def problems(log: Json) -> Iterator[str]:
    """Where a log that follows the schema breaks a rule of the standard."""
    for run in log["runs"]:
        driver, artifacts = run["tool"]["driver"], run["artifacts"]
        yield from _addresses(run, artifacts)
        for rules in (driver["rules"], driver.get("notifications", [])):
            ids = [rule["id"] for rule in rules]
            if len(ids) != len(set(ids)):
                yield "reportingDescriptor.id: two descriptors have the same id"
        for invocation in run["invocations"]:
            notices = every(invocation, "level")
            if invocation["executionSuccessful"] and "error" in notices:
                yield "invocation.executionSuccessful: there is a notification of an error"
            for item in every(invocation, "descriptor"):
                if driver["notifications"][item["index"]]["id"] != item["id"]:
                    yield f"reportingDescriptorReference.index: {item} is another descriptor"
        for text in every([*every(run, "message"), *every(run, "description")], "text"):
            if isinstance(text, str) and re.search(r"(?<!\{)\{(?:\{\{)*(?!\{)", text):
                yield f"messages with placeholders: a brace that is no placeholder is not doubled: {text}"
        prints = [str(result["partialFingerprints"]) for result in run["results"]]
        if len(prints) != len(set(prints)):
            yield "result.partialFingerprints: two results have the same fingerprints"
        for result in run["results"]:
            yield from _result(result, driver["rules"])


def _addresses(run: Json, artifacts: list[Json]) -> Iterator[str]:
    bases = run["originalUriBaseIds"]
    for name, base in bases.items():
        if "uri" in base and not (urlparse(base["uri"]).scheme and base["uri"].endswith("/")):
            yield f"run.originalUriBaseIds: {name} is not an absolute address of a folder"
    for location in [*every(run, "artifactLocation"), *every(artifacts, "location")]:
        address = urlparse(location["uri"])
        if not re.fullmatch(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*", location["uri"]):
            yield f"URI-valued properties: not a valid address: {location['uri']}"
        if "uriBaseId" in location:
            if location["uriBaseId"] not in bases:
                yield f"artifactLocation.uriBaseId: the base {location['uriBaseId']} is not declared"
            if address.scheme or location["uri"].startswith("/") or ".." in location["uri"].split("/"):
                yield f"artifactLocation.uri: {location['uri']} is not relative to its base"
        elif not address.scheme:
            yield f"artifactLocation.uri: {location['uri']} is relative to nothing"
        if "index" in location:
            same = artifacts[location["index"]]["location"]
            if (same["uri"], same.get("uriBaseId")) != (location["uri"], location.get("uriBaseId")):
                yield f"artifactLocation.index: {location} is another artifact"
    for mapped in every(run.get("versionControlProvenance", []), "mappedTo"):
        if mapped["uriBaseId"] not in bases:
            yield f"versionControlDetails.mappedTo: the base {mapped['uriBaseId']} is not declared"
    for region in [*every(run, "region"), *every(run, "deletedRegion")]:
        start = (region["startLine"], region.get("startColumn", 1))
        end = (region.get("endLine", region["startLine"]), region.get("endColumn", float("inf")))
        if end < start:
            yield f"region: {region} ends before it starts"


def _result(result: Json, rules: list[Json]) -> Iterator[str]:
    if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
        yield f"result.ruleIndex: {result['ruleId']} is another rule"
    if (result.get("kind", "fail") == "fail") == (result["level"] == "none"):
        yield f"result.kind: {result['ruleId']} has kind {result.get('kind')} and level {result['level']}"
    ids = [location["id"] for location in result.get("relatedLocations", [])]
    if len(ids) != len(set(ids)):
        yield "location.id: two locations of a result have the same id"
    for target in every(result, "target"):
        if target not in ids:
            yield f"locationRelationship.target: there is no location {target}"
    for thread in (thread for flow in result.get("codeFlows", []) for thread in flow["threadFlows"]):
        order = [step["executionOrder"] for step in thread["locations"]]
        if order != sorted(set(order)) or order[0] < 1:
            yield f"threadFlowLocation.executionOrder: steps in the order {order}"
    for change in every(result, "artifactChanges"):
        for replacements in every(change, "replacements"):
            regions = [item["deletedRegion"] for item in replacements]
            spans = [
                ((r["startLine"], r["startColumn"]), (r["endLine"], r["endColumn"])) for r in regions if "endLine" in r
            ]
            if any(second[0] < first[1] for first, second in pairwise(spans)):
                yield "artifactChange.replacements: replacements overlap"
