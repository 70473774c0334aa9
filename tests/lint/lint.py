#!/usr/bin/python3
"""Checks of our own over the C sources.

usage: lint.py [--root DIR] [--build DIR] CHECK...

Checks: includes (who may include whom), banned (functions), sizes (files and
functions), purity (symbols and mutable data of the pure objects under
--build), links (libraries of the test programs under --build), headers (each compiles alone), leaks (names of other places).
Prints one line per finding, exits 1 when there is any.
"""

import argparse
import fnmatch
import pathlib
import re
import subprocess
import sys

import rules

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)


PRODUCT = ("common", "edge-proxy", "fe-gateway", "deploy/fedctl")


def c_files(root, suffixes=(".c", ".h"), tops=PRODUCT):
    for top in tops:
        for path in sorted((root / top).rglob("*")):
            if path.suffix in suffixes:
                yield path


def folder_of(relative):
    best = ""
    for folder in rules.FOLDERS:
        if str(relative).startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def restricted_prefix(header):
    hits = [p for p in rules.ONLY_IN
            if header == p or (p.endswith("/") and header.startswith(p))]
    return max(hits, key=len) if hits else None


def check_include(relative, header):
    folder = folder_of(relative)
    if not folder:
        return "is in no known folder"
    ours, other, _ = rules.FOLDERS[folder]
    prefix = restricted_prefix(header)
    if prefix is not None:
        allowed = rules.ONLY_IN[prefix]
        ok = any(fnmatch.fnmatch(str(relative), p) and
                 (p.count("/") == str(relative).count("/") or "*.[ch]" not in p)
                 for p in allowed)
        return None if ok else f"<{header}> is only for {', '.join(allowed)}"
    if any(header.startswith(p) for p in ours) or header in other:
        return None
    return f"{folder} may not include {header}"


def includes(root, _build):
    for path in c_files(root):
        relative = path.relative_to(root)
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            problem = check_include(relative, match.group(1))
            if problem:
                line = text.count("\n", 0, match.start()) + 1
                yield f"{relative}:{line}: {problem}"


def strip_c(text):
    """Comments and string contents replaced by blanks, lines kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  blank, text, flags=re.S)


def banned(root, _build):
    pattern = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(rules.BANNED))
    for path in c_files(root):
        relative = path.relative_to(root)
        original = path.read_text()
        text = strip_c(original)
        for number, line in enumerate(text.split("\n"), 1):
            for match in pattern.finditer(line):
                yield f"{relative}:{number}: {match.group(1)}() is banned"
            if "//" in line:
                yield f"{relative}:{number}: // comment"
        for number, line in enumerate(original.split("\n"), 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                yield f"{relative}:{number}: unfinished: {line.strip()}"


def function_sizes(text):
    """(name, first line, lines) of each function in kernel layout."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            head = " ".join(lines[max(0, start - 8):start - 1])
            names = re.findall(r"(\w+)\s*\(", head)
            yield (names[-1] if names else "?"), start, number - start - 1
            start = None


def sizes(root, _build):
    for path in c_files(root, tops=(*PRODUCT, "tests")):
        relative = path.relative_to(root)
        text = path.read_text()
        count = text.count("\n")
        if count > rules.FILE_LINES_MAX:
            yield (f"{relative}: {count} lines, at most "
                   f"{rules.FILE_LINES_MAX}")
        for name, line, length in function_sizes(text):
            if length > rules.FUNCTION_LINES_MAX:
                yield (f"{relative}:{line}: {name}() has {length} lines, at "
                       f"most {rules.FUNCTION_LINES_MAX}")


def purity_of(archive, symbol_lines):
    """Findings in `objdump -t` lines: FLAGS SECTION SIZE NAME."""
    for line in symbol_lines:
        match = re.match(r"^[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+ +"
                         r"(?:\.hidden )?(\S+)$", line)
        if not match:
            continue
        flags, section, symbol = match.groups()
        # tables of constant pointers are .data.rel.ro: read-only once loaded
        is_data = section == "*COM*" or re.match(
            r"\.(t?data|t?bss)(?!\.rel\.ro)", section)
        if is_data and "O" in flags and not symbol.startswith("__"):
            yield f"{archive}: {symbol} is mutable data"
        if section == "*UND*":
            for pattern in rules.IMPURE_SYMBOLS:
                if fnmatch.fnmatchcase(symbol, pattern):
                    yield f"{archive}: uses {symbol}"


def purity(_root, build):
    for folder, (_, _, is_pure) in sorted(rules.FOLDERS.items()):
        if not is_pure:
            continue
        archive = build / ("lib_" + folder.replace("/", "_") + ".a")
        if not archive.exists():
            yield f"{archive}: not built"
            continue
        out = subprocess.run(["objdump", "-t", str(archive)], capture_output=True,
                             text=True, check=True).stdout
        yield from purity_of(archive.name, out.split("\n"))


def links(_root, build):
    """Test programs of the cores need no library that does I/O."""
    for kind in ("unit", "replay", "fuzz"):
        for program in sorted((build / kind).glob("*_*")):
            out = subprocess.run(["objdump", "-p", str(program)],
                                 capture_output=True, text=True).stdout
            for library in re.findall(r"NEEDED\s+(\S+)", out):
                if library.startswith(rules.IO_LIBRARIES):
                    yield f"{kind}/{program.name}: needs {library}"


def headers(root, _build):
    flags = subprocess.run(
        ["pkg-config", "--cflags", "libxml-2.0", "libuv", "sofia-sip-ua", "sqlite3"],
        capture_output=True, text=True, check=True).stdout.split()
    for path in c_files(root, (".h",)):
        relative = path.relative_to(root)
        source = f'#include "{relative}"\n#include "{relative}"\n'
        run = subprocess.run(
            ["gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra",
             "-Icommon", "-I.", "-Ibuild/gen", *flags, "-fsyntax-only",
             "-x", "c", "-"],
            input=source, capture_output=True, text=True, cwd=root)
        if run.returncode != 0 or run.stderr:
            first = run.stderr.strip().split("\n")[0]
            yield f"{relative}: does not compile alone: {first}"


def leaks(root, _build):
    files = subprocess.run(["git", "ls-files"], cwd=root, text=True,
                           capture_output=True, check=True).stdout.split()
    top = {"edge-proxy", "fe-gateway", "common", "proto", "deploy", "tests",
           "Makefile", "README.md"}
    for name in sorted({f.split("/")[0] for f in files}):
        if name not in top and not name.startswith("."):
            yield f"{name}: does not belong at the top level"


CHECKS = {f.__name__: f for f in
          (includes, banned, sizes, purity, links, headers, leaks)}


def main():
    parser = argparse.ArgumentParser()
    here = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--root", type=pathlib.Path, default=here)
    parser.add_argument("--build", type=pathlib.Path,
                        default=here / "build/release")
    parser.add_argument("check", nargs="+", choices=sorted(CHECKS))
    args = parser.parse_args()
    found = 0
    for name in args.check:
        for finding in CHECKS[name](args.root, args.build):
            print(f"{name}: {finding}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
