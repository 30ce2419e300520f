/**
 * Reads the YAML of rule files into nodes that know where they stand, so that a form can change one
 * value and leave everything else, comments included, as it was written. What it does not know
 * (anchors, tags, directives) it leaves alone; what is right and wrong the server decides.
 */

interface Spanned {
  start: number;
  /** The offset after the last character of it. */
  end: number;
}

export interface ScalarNode extends Spanned {
  type: "scalar";
  text: string;
  /** Written without quotes, so that it may be a number or a truth. */
  plain: boolean;
}
export interface NullNode extends Spanned {
  type: "null";
}
export interface ListNode extends Spanned {
  type: "list";
  flow: boolean;
  items: YamlNode[];
}
export interface MapNode extends Spanned {
  type: "map";
  flow: boolean;
  entries: Entry[];
}
/** Something that only the text shows. */
export interface OtherNode extends Spanned {
  type: "other";
}
export type YamlNode = ScalarNode | NullNode | ListNode | MapNode | OtherNode;

export interface Entry {
  key: string;
  keyStart: number;
  /** After the colon. */
  afterColon: number;
  value: YamlNode;
}

export interface YamlFile {
  root: YamlNode | null;
  /** Where the reading ended, if not at the end; from there on nothing is known. */
  stopped: number | null;
}

class Stop extends Error {
  constructor(readonly at: number) {
    super(`unreadable at ${at}`);
  }
}

export function readYaml(text: string): YamlFile {
  const reader = new Reader(text);
  try {
    return { root: reader.document(), stopped: null };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { root: null, stopped: error.at };
  }
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  document(): YamlNode | null {
    if (this.text.startsWith("\ufeff")) this.at = 1;
    this.skip();
    if (this.ahead("---")) {
      this.at += 3;
      this.skip();
    }
    if (this.at >= this.text.length) return null;
    const root = this.block(-1);
    this.skip();
    if (this.at < this.text.length && !this.ahead("...")) throw new Stop(this.at);
    return root;
  }

  /** Over white space, line ends and comments. */
  private skip(): void {
    for (;;) {
      const char = this.text[this.at];
      if (char === "#" && (this.at === 0 || /\s/.test(this.text[this.at - 1] ?? ""))) this.toLineEnd();
      else if (char === " " || char === "\n" || char === "\r") this.at += 1;
      else if (char === "\t") this.at += 1;
      else return;
    }
  }

  private toLineEnd(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  /** Over spaces of this line; whether something other than a comment follows on it. */
  private sameLine(): boolean {
    while (this.text[this.at] === " " || this.text[this.at] === "\t") this.at += 1;
    const char = this.text[this.at];
    return char !== undefined && char !== "\n" && char !== "\r" && !(char === "#" && /\s/.test(this.text[this.at - 1] ?? " "));
  }

  private column(at = this.at): number {
    return at - (this.text.lastIndexOf("\n", at - 1) + 1);
  }

  private ahead(word: string): boolean {
    return this.text.startsWith(word, this.at);
  }

  private isDash(at = this.at): boolean {
    return this.text[at] === "-" && /^(\s|$)/.test(this.text.slice(at + 1, at + 2));
  }

  /** What begins here, inside something that is indented by `outer`. */
  private block(outer: number): YamlNode {
    if (this.isDash()) return this.blockList(this.column());
    if (this.keyAhead() !== null) return this.blockMap(this.column());
    return this.value(outer);
  }

  private blockList(indent: number): ListNode {
    const start = this.at;
    const items: YamlNode[] = [];
    let end = start;
    while (this.at < this.text.length && this.column() === indent && this.isDash()) {
      this.at += 1;
      const dash = this.at;
      if (!this.sameLine()) this.skip();
      const inside = this.at < this.text.length && this.column() > indent;
      const item: YamlNode = inside ? this.block(indent) : { type: "null", start: dash, end: dash };
      items.push(item);
      end = Math.max(end, item.end, dash);
      this.skip();
    }
    if (this.at < this.text.length && this.column() > indent) throw new Stop(this.at);
    return { type: "list", flow: false, start, end, items };
  }

  private blockMap(indent: number): MapNode {
    const start = this.at;
    const entries: Entry[] = [];
    let end = start;
    while (this.at < this.text.length && this.column() === indent && !this.isDash()) {
      const key = this.keyAhead();
      if (key === null) throw new Stop(this.at);
      const keyStart = this.at;
      this.at = key.colon + 1;
      const afterColon = this.at;
      const value = this.entryValue(indent, afterColon);
      entries.push({ key: key.name, keyStart, afterColon, value });
      end = Math.max(value.end, afterColon);
      this.skip();
    }
    if (this.at < this.text.length && this.column() > indent) throw new Stop(this.at);
    return { type: "map", flow: false, start, end, entries };
  }

  private entryValue(indent: number, afterColon: number): YamlNode {
    if (this.sameLine()) return this.value(indent);
    this.skip();
    const deeper = this.at < this.text.length && (this.column() > indent || (this.column() === indent && this.isDash()));
    return deeper ? this.block(indent) : { type: "null", start: afterColon, end: afterColon };
  }

  private value(outer: number): YamlNode {
    const char = this.text[this.at] ?? "";
    if (char === "{" || char === "[") return this.flow();
    if (char === "|" || char === ">") return this.blockScalar(outer);
    if (char === "&" || char === "*" || char === "!" || char === "%" || char === "@" || char === "`") throw new Stop(this.at);
    if (char === '"' || char === "'") return this.quoted();
    return this.plain(outer);
  }

  /** A plain text, which goes on in lines that are indented more. */
  private plain(outer: number): YamlNode {
    const start = this.at;
    const parts: string[] = [];
    let end = start;
    for (;;) {
      const line = this.text.slice(this.at, lineEnd(this.text, this.at));
      const comment = line.search(/\s#/);
      const said = (comment < 0 ? line : line.slice(0, comment)).trimEnd();
      if (/:(\s|$)/.test(said)) throw new Stop(this.at);
      parts.push(said);
      end = this.at + said.length;
      this.at = end;
      if (comment >= 0) break;
      const before = this.at;
      this.skip();
      if (this.at >= this.text.length || this.column() <= outer || this.isDash() || this.keyAhead() !== null || this.text[before] === undefined) {
        this.at = before;
        break;
      }
    }
    return { type: "scalar", text: parts.join(" "), plain: true, start, end };
  }

  private quoted(): ScalarNode {
    const start = this.at;
    const mark = this.text[start];
    let at = start + 1;
    let said = "";
    for (;;) {
      const char = this.text[at];
      if (char === undefined) throw new Stop(start);
      if (char === mark && mark === "'" && this.text[at + 1] === "'") {
        said += "'";
        at += 2;
      } else if (char === mark) break;
      else if (char === "\\" && mark === '"') {
        const [read, length] = escaped(this.text.slice(at, at + 10));
        said += read;
        at += length;
      } else if (char === "\n") {
        said = `${said.trimEnd()} `;
        at += 1;
        while (this.text[at] === " ") at += 1;
      } else {
        said += char;
        at += 1;
      }
    }
    this.at = at + 1;
    return { type: "scalar", text: said, plain: false, start, end: this.at };
  }

  private blockScalar(outer: number): ScalarNode {
    const start = this.at;
    const folded = this.text[start] === ">";
    this.toLineEnd();
    const lines: string[] = [];
    let end = this.at;
    while (this.at < this.text.length) {
      const from = this.at + 1;
      const line = this.text.slice(from, lineEnd(this.text, from));
      const blank = line.trim() === "";
      if (!blank && line.length - line.trimStart().length <= outer) break;
      if (blank && from >= this.text.length) break;
      lines.push(line);
      this.at = from + line.length;
      if (!blank) end = this.at;
    }
    const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length));
    const cut = lines.map((line) => line.slice(Number.isFinite(indent) ? indent : 0));
    this.at = end;
    return { type: "scalar", text: cut.join(folded ? " " : "\n").trimEnd(), plain: false, start, end };
  }

  private flow(): YamlNode {
    const start = this.at;
    const isMap = this.text[start] === "{";
    const close = isMap ? "}" : "]";
    this.at += 1;
    const entries: Entry[] = [];
    const items: YamlNode[] = [];
    for (;;) {
      this.skip();
      if (this.at >= this.text.length) throw new Stop(start);
      if (this.text[this.at] === close) break;
      if (isMap) entries.push(this.flowEntry());
      else items.push(this.flowValue());
      this.skip();
      if (this.text[this.at] === ",") this.at += 1;
      else if (this.text[this.at] !== close) throw new Stop(this.at);
    }
    this.at += 1;
    return isMap ? { type: "map", flow: true, start, end: this.at, entries } : { type: "list", flow: true, start, end: this.at, items };
  }

  private flowEntry(): Entry {
    const keyStart = this.at;
    const key = this.flowValue();
    if (key.type !== "scalar") throw new Stop(keyStart);
    this.skip();
    if (this.text[this.at] !== ":") throw new Stop(this.at);
    this.at += 1;
    const afterColon = this.at;
    this.skip();
    const none = this.text[this.at] === "," || this.text[this.at] === "}";
    return { key: key.text, keyStart, afterColon, value: none ? { type: "null", start: afterColon, end: afterColon } : this.flowValue() };
  }

  private flowValue(): YamlNode {
    const char = this.text[this.at] ?? "";
    if (char === "{" || char === "[") return this.flow();
    if (char === '"' || char === "'") return this.quoted();
    const start = this.at;
    const rest = /^(?:[^,[\]{}:#\n]|:(?![\s,[\]{}])|(?<=\S)#)+/.exec(this.text.slice(start))?.[0] ?? "";
    const said = rest.trimEnd();
    if (said === "" || /^[&*!|>%@`]/.test(said)) throw new Stop(start);
    this.at = start + said.length;
    return { type: "scalar", text: said, plain: true, start, end: this.at };
  }

  /** The key that stands here, if one does. */
  private keyAhead(): { name: string; colon: number } | null {
    const char = this.text[this.at] ?? "";
    if (char === '"' || char === "'") {
      const before = this.at;
      try {
        const { text, end } = this.quoted();
        return /^:(\s|$)/.test(this.text.slice(end, end + 2)) ? { name: text, colon: end } : null;
      } catch {
        return null;
      } finally {
        this.at = before;
      }
    }
    if (char === "{" || char === "[") return null;
    const line = this.text.slice(this.at, lineEnd(this.text, this.at));
    const found = /^([^\s#:][^:#]*?|[^\s#:](?:[^:#]|:(?=\S)|(?<=\S)#)*?)\s*:(?=\s|$)/.exec(line);
    return found?.[1] === undefined ? null : { name: found[1], colon: this.at + found[0].length - 1 };
  }
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  if (end < 0) return text.length;
  return text[end - 1] === "\r" ? Math.max(from, end - 1) : end;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "0": "\0", '"': '"', "\\": "\\", "/": "/", " ": " ", e: "\u001b" };

function escaped(text: string): [read: string, length: number] {
  const code = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text);
  if (code) return [String.fromCodePoint(parseInt(code[1] ?? code[2] ?? code[3] ?? "0", 16)), code[0].length];
  return [ESCAPES[text[1] ?? ""] ?? text[1] ?? "", 2];
}

export type Path = readonly (string | number)[];

export function nodeAt(root: YamlNode | null, path: Path): YamlNode | null {
  let node = root;
  for (const step of path) {
    if (node?.type === "map" && typeof step === "string") node = node.entries.find(({ key }) => key === step)?.value ?? null;
    else if (node?.type === "list" && typeof step === "number") node = node.items[step] ?? null;
    else return null;
  }
  return node;
}

/** The text of a scalar; "" of what is not there or is no scalar. */
export function scalarAt(root: YamlNode | null, path: Path): string {
  const node = nodeAt(root, path);
  return node?.type === "scalar" ? node.text : "";
}

/** The path of the innermost thing around an offset. A key belongs to its value. */
export function pathAt(root: YamlNode | null, offset: number): Path {
  const path: (string | number)[] = [];
  let node = root;
  for (;;) {
    if (node?.type === "map") {
      const entry = [...node.entries].reverse().find(({ keyStart }) => keyStart <= offset);
      if (!entry || offset > Math.max(entry.value.end, entry.afterColon)) return path;
      path.push(entry.key);
      node = entry.value;
    } else if (node?.type === "list") {
      const at = node.items.findLastIndex(({ start }) => start <= offset);
      if (at < 0 || offset > (node.items[at]?.end ?? 0)) return path;
      path.push(at);
      node = node.items[at] ?? null;
    } else return path;
  }
}

/** The offset of a line and column, both from 1; columns count characters, as people see them. */
export function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at += 1) {
    const end = text.indexOf("\n", start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  const before = [...text.slice(start, lineEnd(text, start))].slice(0, Math.max(0, column - 1)).join("");
  return start + before.length;
}

export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}
