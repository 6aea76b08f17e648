// Validates regular expressions of L7 rules: PCRE2 (HAProxy 2.6) must compile them and decide them within its limits. The accepted grammar
// is the part of PCRE2 that people use for hosts, paths and headers. Everything else is refused, so that an accepted expression never
// prevents a node from loading its configuration. HAProxy treats a match that exceeds PCRE2's match limit, or its stack of 32 KiB, as no
// match: see docs/decisions/0181.
import { type CharSet, costFault, type Node, plainNode, setOf } from './regular-expression-cost.ts';

/** Limit for the rounds of a counted repetition, multiplied by those inside it. */
const mostRounds = 1_000;
/** Each round of a group needs space on PCRE2's stack. */
const mostGroupRounds = 100;
const deepest = 10;

class Fault extends Error {}

/** The fault, as a phrase that follows "value". Undefined if nothing is. */
export function regularExpressionFault(text: string): string | undefined {
  try {
    new Reader(text).read();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/** The relevant properties of a part of the expression. */
interface Piece {
  /** It may match texts of any length. */
  readonly endless: boolean;
  /** Rounds of the counted repetitions in it, multiplied. */
  readonly rounds: number;
  readonly isGroup: boolean;
  readonly node: Node;
}
const plain: Piece = { endless: false, rounds: 1, isGroup: false, node: plainNode };
const digits = setOf('0123456789');
const blanks = setOf(' \t\n\r\v\f');
const letters = setOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');
const all = (1n << 256n) - 1n;
const kinds: Readonly<Record<string, CharSet>> = { d: digits, s: blanks, w: digits | letters | setOf('_') };

function kindOf(char: string): CharSet {
  const set = kinds[char.toLowerCase()] ?? 0n;
  return char === char.toLowerCase() ? set : all & ~set;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #ignoresCase = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(): void {
    // Letters match in either case.
    this.#ignoresCase = this.#text.startsWith('(?i)');
    if (this.#ignoresCase) this.#at = 4;
    const { node } = this.#alternatives();
    if (this.#at < this.#text.length) this.#fail('has a ) without its (');
    const fault = costFault(node);
    if (fault !== undefined) this.#fail(fault.message, fault.at);
  }

  #alternatives(): Piece {
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    return joined('alternatives', parts);
  }

  #sequence(): Piece {
    const parts: Piece[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#next)) parts.push(this.#repeated());
    return joined('sequence', parts);
  }

  #repeated(): Piece {
    const from = this.#at;
    const one = this.#one();
    const [least, most] = this.#quantifier() ?? [1, 1];
    if (one === 'anchor') {
      if (this.#at > from + 2 || most !== 1 || least !== 1) this.#fail('repeats an anchor', from);
      const node: Node = { kind: 'anchor', isStart: this.#text[from] === '^', at: from };
      return { ...plain, node };
    }
    if (most === 1 && least === 1) return one;
    const endless = most === Number.POSITIVE_INFINITY;
    if (one.endless && most > 1)
      this.#fail('repeats what has a repetition without end in it, which may take exponential time', from);
    const rounds = one.rounds * (endless ? Math.max(1, least) : most);
    if (rounds > mostRounds) this.#fail(`repeats more than ${mostRounds} times`, from);
    this.#take('?');
    if (this.#quantifier() !== undefined) this.#fail('has two quantifiers in a row');
    if (one.isGroup && endless)
      this.#fail(
        `repeats a group without end; repeat a set such as [ab], or the group at most ${mostGroupRounds} times`,
        from,
      );
    if (one.isGroup && most > 1 && rounds > mostGroupRounds)
      this.#fail(`repeats a group more than ${mostGroupRounds} times`, from);
    const node: Node = { kind: 'repetition', of: one.node, least, most, at: from };
    return { endless: endless || one.endless, rounds, isGroup: one.isGroup, node };
  }

  /** Undefined if none follows. */
  #quantifier(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const [whole, least = '', comma, most = ''] = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#rest)?.slice(0, 4) ?? [];
    if (whole === undefined) {
      if (this.#next === '{') this.#fail('has a { that begins no repetition; write \\{');
      return undefined;
    }
    this.#at += whole.length;
    const upTo =
      comma === undefined ? Number(least) : comma === ',' ? Number.POSITIVE_INFINITY : Number(most || comma.slice(1));
    if (upTo < Number(least)) this.#fail(`has the repetition ${whole}, which ends before it begins`);
    if (upTo === 0) this.#fail(`has the repetition ${whole}, which is empty`);
    return [Number(least), upTo];
  }

  #one(): Piece | 'anchor' {
    const char = this.#next;
    if (char === '(') return this.#group();
    if (char === '[') return this.#set();
    if (char === '\\') return this.#escape();
    if ('*+?{'.includes(char)) this.#fail(`has ${char} with nothing before it to repeat`);
    if (']}'.includes(char)) this.#fail(`has ${char} alone; write \\${char}`);
    this.#at += 1;
    if (char === '^' || char === '$') return 'anchor';
    return this.#char(char === '.' ? all : setOf(char), this.#at - 1);
  }

  #char(set: CharSet, at: number): Piece {
    return { ...plain, node: { kind: 'char', set: this.#ignoresCase ? inBothCases(set) : set, at } };
  }

  #group(): Piece {
    this.#at += 1;
    if (this.#take('?') && !this.#take(':'))
      this.#fail('has a group that is not accepted; only ( ), (?: ) and (?i) at the beginning are');
    this.#depth += 1;
    if (this.#depth > deepest) this.#fail(`has groups more than ${deepest} deep`);
    const inside = this.#alternatives();
    if (!this.#take(')')) this.#fail('has a ( without its )');
    this.#depth -= 1;
    return { ...inside, isGroup: true };
  }

  #escape(): Piece | 'anchor' {
    const char = this.#text[this.#at + 1] ?? '';
    if (!/^[dDwWsSbB]$/.test(char) && !/^[!-/:-@[-`{-~]$/.test(char))
      this.#fail(`has \\${char}; only \\d \\w \\s \\b, their opposites and punctuation are accepted after a backslash`);
    this.#at += 2;
    if (char === 'b' || char === 'B') return 'anchor';
    return this.#char(/[a-z]/i.test(char) ? kindOf(char) : setOf(char), this.#at - 2);
  }

  #set(): Piece {
    const from = this.#at;
    this.#at += 1;
    const isOpposite = this.#take('^');
    let before: string | undefined;
    let set: CharSet = 0n;
    for (let count = 0; !this.#take(']'); count += 1) {
      if (this.#at >= this.#text.length) this.#fail('has a [ without its ]', from);
      if (this.#next === '[') this.#fail('has a [ inside of a set; write \\[');
      if (this.#next === '\\') set |= kindOf(this.#text[this.#at + 1] ?? '');
      const char = this.#inSet();
      if (char !== undefined) set |= setOf(char);
      if (char === undefined || this.#next !== '-' || this.#text[this.#at + 1] === ']') {
        before = char;
        continue;
      }
      this.#at += 1;
      if (this.#at >= this.#text.length) this.#fail('has a [ without its ]', from);
      before = this.#inSet();
      if (before === undefined || before < char) this.#fail('has a range in a set that ends before it begins', from);
      if (count > 255) this.#fail('has a set with too many entries', from);
      for (let code = char.charCodeAt(0); code <= before.charCodeAt(0); code += 1)
        set |= setOf(String.fromCharCode(code));
    }
    if (this.#at - from <= 2 || this.#text.slice(from, this.#at) === '[^]') this.#fail('has an empty set', from);
    const cased = this.#ignoresCase ? inBothCases(set) : set;
    return { ...plain, node: { kind: 'char', set: isOpposite ? all & ~cased : cased, at: from } };
  }

  /** A character. Undefined for a class of characters, such as \d. */
  #inSet(): string | undefined {
    if (this.#next !== '\\') {
      const char = this.#next;
      this.#at += 1;
      return char;
    }
    const char = this.#text[this.#at + 1] ?? '';
    if (!/^[dDwWsS]$/.test(char) && !/^[!-/:-@[-`{-~]$/.test(char))
      this.#fail(`has \\${char} in a set; only \\d \\w \\s, their opposites and punctuation are accepted there`);
    this.#at += 2;
    return /\w/.test(char) && char !== '_' ? undefined : char;
  }

  get #next(): string {
    return this.#text[this.#at] ?? '';
  }

  get #rest(): string {
    return this.#text.slice(this.#at, this.#at + 16);
  }

  #take(char: string): boolean {
    if (this.#next !== char) return false;
    this.#at += 1;
    return true;
  }

  #fail(what: string, at = this.#at): never {
    throw new Fault(`${what}, at character ${at + 1}`);
  }
}

function joined(kind: 'sequence' | 'alternatives', parts: readonly Piece[]): Piece {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return {
    endless: parts.some(({ endless }) => endless),
    rounds: Math.max(1, ...parts.map(({ rounds }) => rounds)),
    isGroup: false,
    node: { kind, of: parts.map(({ node }) => node) },
  };
}

function inBothCases(set: CharSet): CharSet {
  const [upper, lower] = [(set >> 65n) & casedBits, (set >> 97n) & casedBits];
  return set | (upper << 97n) | (lower << 65n);
}
/** 26 letters. */
const casedBits = (1n << 26n) - 1n;
