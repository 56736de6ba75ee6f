"""What version 1.3.0 of the Open Cybersecurity Schema Framework (github.com/ocsf/ocsf-schema, Apache-2.0) has of the classes, objects and types that
Sekisho's streams use: which attributes there are, of which type, which are required, the values of enumerations with their captions, constraints, and
which profile an attribute comes with. Facts of the schema alone, none of its texts; problems() says what of an event is otherwise."""
import copy
import ipaddress
import re

VERSION = "1.3.0"
HOSTNAME = re.compile(r"(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9])")


def is_ip(v):
    try:
        return bool(ipaddress.ip_address(v))
    except ValueError:
        return False


def is_text(v):
    return isinstance(v, str) and len(v) <= 65535


def is_number(v, bits=64):
    return type(v) is int and -2 ** (bits - 1) <= v < 2 ** (bits - 1)


TYPES = {
    "string": is_text, "integer": lambda v: is_number(v, 32), "long": is_number, "timestamp": is_number, "boolean": lambda v: type(v) is bool,
    "username": is_text, "file_name": is_text, "process_name": is_text, "object": lambda v: isinstance(v, dict),
    "hostname": lambda v: is_text(v) and bool(HOSTNAME.fullmatch(v)), "ip": lambda v: is_text(v) and is_ip(v), "mac": is_text, "port": lambda v: is_number(v) and 0 <= v < 65536,
}
UNKNOWN = {0: "Unknown", 99: "Other"}
SEVERITY = {**UNKNOWN, 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical", 6: "Fatal"}
RESULT = {**UNKNOWN, 1: "Success", 2: "Failure"}
FINDING = {**UNKNOWN, 1: "New", 2: "In Progress", 3: "Suppressed", 4: "Resolved"}
FILES = {**UNKNOWN, 1: "Regular File", 2: "Folder", 3: "Character Device", 4: "Block Device", 5: "Local Socket", 6: "Named Pipe", 7: "Symbolic Link"}
ENDPOINTS = {**UNKNOWN, **dict(enumerate(("Server", "Desktop", "Laptop", "Tablet", "Mobile", "Virtual", "IOT", "Browser", "Firewall", "Switch", "Hub", "Router", "IDS",
                                          "IPS", "Load Balancer"), 1))}
USERS = {**UNKNOWN, 1: "User", 2: "Admin", 3: "System"}
# Attributes by type, "!" where they are required, "[]" where there are several, "@" with the host's profile only.
ALL = {"activity_id": "integer!", "activity_name": "string", "category_name": "string", "category_uid": "integer!", "class_name": "string", "class_uid": "integer!",
       "type_name": "string", "type_uid": "long!", "count": "integer", "duration": "integer", "end_time": "timestamp", "start_time": "timestamp", "time": "timestamp!",
       "timezone_offset": "integer", "message": "string", "metadata": "metadata!", "raw_data": "string", "severity": "string", "severity_id": "integer!",
       "status": "string", "status_code": "string", "status_detail": "string", "status_id": "integer", "unmapped": "object"}
SYSTEM = {**ALL, "actor": "actor!", "device": "device!"}
CLASSES = {
    0: ("Base Event", 0, "Uncategorized", ALL, {}),
    1001: ("File System Activity", 1, "System Activity", {**SYSTEM, "file": "file!", "file_result": "file", "file_diff": "string", "access_mask": "integer",
                                                          "component": "string", "connection_uid": "string", "create_mask": "string"},
           dict(enumerate(("Create", "Read", "Update", "Delete", "Rename", "Set Attributes", "Set Security", "Get Attributes", "Get Security", "Encrypt", "Decrypt",
                           "Mount", "Unmount", "Open"), 1))),
    1007: ("Process Activity", 1, "System Activity", {**SYSTEM, "process": "process!", "exit_code": "integer", "actual_permissions": "integer",
                                                      "requested_permissions": "integer", "injection_type": "string", "injection_type_id": "integer"},
           {1: "Launch", 2: "Terminate", 3: "Open", 4: "Inject", 5: "Set User ID"}),
    2004: ("Detection Finding", 2, "Findings", {**ALL, "device": "device@", "actor": "actor@", "comment": "string", "confidence": "string", "confidence_id": "integer",
                                                "confidence_score": "integer", "finding_info": "finding_info!"},
           {1: "Create", 2: "Update", 3: "Close"}),
    3002: ("Authentication", 3, "Identity & Access Management", {**ALL, "device": "device@", "actor": "actor", "user": "user!", "src_endpoint": "endpoint",
                                                                 "dst_endpoint": "endpoint", "service": "service", "is_mfa": "boolean", "is_remote": "boolean",
                                                                 "is_cleartext": "boolean", "is_new_logon": "boolean", "logon_process": "process",
                                                                 "logon_type": "string", "logon_type_id": "integer"},
           {1: "Logon", 2: "Logoff", 3: "Authentication Ticket", 4: "Service Ticket Request", 5: "Service Ticket Renew", 6: "Preauth"}),
}
PLACE = {"hostname": "hostname", "ip": "ip", "mac": "mac", "name": "string", "uid": "string", "domain": "string", "instance_uid": "string", "interface_name": "string",
         "interface_uid": "string", "type": "string", "zone": "string"}
OBJECTS = {
    "metadata": {"version": "string!", "product": "product!", "uid": "string", "event_code": "string", "profiles": "string[]", "loggers": "logger[]", "labels": "string[]",
                 "log_name": "string", "log_provider": "string", "logged_time": "timestamp", "original_time": "string", "processed_time": "timestamp",
                 "sequence": "integer", "tenant_uid": "string", "correlation_uid": "string"},
    "product": {"vendor_name": "string!", "name": "string", "uid": "string", "version": "string", "lang": "string", "path": "string"},
    "logger": {"name": "string", "uid": "string", "device": "device", "product": "product", "version": "string", "log_name": "string", "log_provider": "string"},
    "device": {**PLACE, "type_id": "integer!", "desc": "string", "region": "string", "uid_alt": "string"},
    "endpoint": {**PLACE, "type_id": "integer", "port": "port", "svc_name": "string"},
    "file": {"name": "file_name!", "type_id": "integer!", "type": "string", "path": "string", "parent_folder": "string", "size": "long", "uid": "string", "owner": "user",
             "desc": "string", "mime_type": "string"},
    "process": {"pid": "integer", "uid": "string", "name": "process_name", "cmd_line": "string", "file": "file", "user": "user", "created_time": "timestamp",
                "parent_process": "process", "tid": "integer"},
    "user": {"name": "username", "uid": "string", "type": "string", "type_id": "integer", "domain": "string", "full_name": "string", "uid_alt": "string"},
    "actor": {"process": "process", "user": "user", "app_name": "string", "app_uid": "string", "invoked_by": "string"},
    "finding_info": {"uid": "string!", "title": "string!", "desc": "string", "created_time": "timestamp", "types": "string[]", "product_uid": "string"},
    "service": {"name": "string", "uid": "string", "version": "string"},
}
ONE_OF = {"device": ("ip", "uid", "name", "hostname", "instance_uid", "interface_uid", "interface_name"),
          "endpoint": ("ip", "uid", "name", "hostname", "svc_name", "instance_uid", "interface_uid", "interface_name", "domain"),
          "process": ("pid", "uid"), "user": ("account", "name", "uid"), "actor": ("process", "user", "invoked_by", "session", "app_name", "app_uid"),
          "product": ("name", "uid"), "logger": ("name", "uid"), "service": ("name", "uid"), 3002: ("service", "dst_endpoint")}
ENUMS = {"file": {"type_id": FILES}, "device": {"type_id": ENDPOINTS}, "endpoint": {"type_id": ENDPOINTS}, "user": {"type_id": USERS}}


def look(o, what, attributes, enums, profiles, at):
    """Of one object or event: attributes that are not there, required ones that are missing, types, values, captions beside them."""
    for name, v in o.items():
        kind = attributes.get(name)
        if kind is None:
            yield "%s.%s: no such attribute" % (at, name)
            continue
        if kind.endswith("@") and "host" not in profiles:
            yield "%s.%s: without the host's profile" % (at, name)
        several, kind = kind.rstrip("!@").endswith("[]"), kind.rstrip("!@[]")
        for x in v if several and isinstance(v, list) else [v] if not several else [None]:
            if kind in OBJECTS:
                yield from look(x, kind, OBJECTS[kind], ENUMS.get(kind, {}), profiles, at + "." + name) if isinstance(x, dict) else [at + "." + name + ": no object"]
            elif not TYPES[kind](x):
                yield "%s.%s: no %s: %r" % (at, name, kind, x)
        named = enums[name].get(v) if name in enums and type(v) is int else None
        if name in enums and named is None:
            yield "%s.%s: %r" % (at, name, v)
        sibling = re.sub("_id$", "", name) if name != "activity_id" else "activity_name"
        if named and v != 99 and o.get(sibling, named) != named:
            yield "%s.%s: %r instead of %r" % (at, sibling, o[sibling], named)
    for name, kind in attributes.items():
        if kind.endswith("!") and o.get(name) in (None, ""):
            yield "%s.%s: missing" % (at, name)
    if what in ONE_OF and not any(o.get(x) not in (None, "", {}) for x in ONE_OF[what]):
        yield "%s: none of %s" % (at, ", ".join(ONE_OF[what]))


def problems(e):
    """What of this event is not as the schema has it."""
    if type(e.get("class_uid")) is not int or e["class_uid"] not in CLASSES:
        return ["class_uid: %r" % e.get("class_uid")]
    name, category, category_name, attributes, activities = CLASSES[e["class_uid"]]
    metadata = e["metadata"] if isinstance(e.get("metadata"), dict) else {}
    enums = {"activity_id": {**UNKNOWN, **activities}, "severity_id": SEVERITY, "status_id": FINDING if category == 2 else RESULT}
    found = list(look(e, e["class_uid"], attributes, enums, metadata.get("profiles", []), "event"))
    for key, want in (("class_name", name), ("category_uid", category), ("category_name", category_name)):
        if e.get(key, want) != want:
            found.append("%s: %r instead of %r" % (key, e[key], want))
    if type(e.get("activity_id")) is int and e.get("type_uid") != e["class_uid"] * 100 + e["activity_id"]:
        found.append("type_uid: %r" % e.get("type_uid"))
    if metadata.get("version") != VERSION:
        found.append("of another version")
    return found


def spoiled(events):
    """Each of good events, wrong in one thing: so that the judge is seen to judge."""
    for e in events:
        for name, kind in CLASSES[e["class_uid"]][3].items():
            if kind.endswith("!"):
                yield {k: v for k, v in e.items() if k != name}
            if name in e and kind.rstrip("!@") != "object":
                yield {**e, name: [e[name]]}
        for more in ({"nonsense": 1}, {"activity_id": 77, "type_uid": e["class_uid"] * 100 + 77}, {"severity": "Grave"}, {"type_uid": 5}, {"class_name": "Another"},
                     {"category_uid": 9}, {"time": 2 ** 63}, {"status_id": 5}):
            yield {**e, **more}
        for path, v in ((("metadata", "product"), {"name": "x"}), (("metadata", "version"), "1.4.0"), (("device", "hostname"), "pc_二"), (("device", "type_id"), 77),
                        (("actor",), {}), (("file", "type_id"), 8), (("process",), {"name": "x"}), (("user",), {"type_id": 1}), (("finding_info", "title"), ""),
                        (("src_endpoint",), {"ip": "here"}), (("metadata", "loggers"), [{}])):
            bad = copy.deepcopy(e)
            o = bad
            for x in path[:-1]:
                o = o.get(x, {})
            if path[-1] in o:
                o[path[-1]] = v
                yield bad
        if e["class_uid"] == 2004:
            yield {**e, "metadata": {k: v for k, v in e["metadata"].items() if k != "profiles"}}
