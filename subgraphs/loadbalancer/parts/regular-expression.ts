// Which regular expressions an L7 rule may have: those that PCRE2 (HAProxy 2.6) compiles and that can't take exponential time. The
// grammar is the part of PCRE2 that people use for hosts, paths and headers; what is not in it is refused, so that an expression which
// passes here never keeps a node from loading its configuration.

/** A counted repetition has at most so many rounds, with those inside it multiplied. */
const mostRounds = 1_000;
const deepest = 10;

class Fault extends Error {}

/** What is wrong with it, in words that follow "value"; undefined: nothing. */
export function regularExpressionFault(text: string): string | undefined {
  try {
    new Reader(text).read();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/** What matters of a part of the expression. */
interface Piece {
  /** It may have any length. */
  readonly endless: boolean;
  /** Rounds of the counted repetitions in it, multiplied. */
  readonly rounds: number;
}
const plain: Piece = { endless: false, rounds: 1 };

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): void {
    // Letters in either case.
    if (this.#text.startsWith('(?i)')) this.#at = 4;
    this.#alternatives();
    if (this.#at < this.#text.length) this.#fail('has a ) without its (');
  }

  #alternatives(): Piece {
    let whole = this.#sequence();
    while (this.#take('|')) whole = joined(whole, this.#sequence());
    return whole;
  }

  #sequence(): Piece {
    let whole = plain;
    while (this.#at < this.#text.length && !'|)'.includes(this.#next)) whole = joined(whole, this.#repeated());
    return whole;
  }

  #repeated(): Piece {
    const from = this.#at;
    const one = this.#one();
    const [least, most] = this.#quantifier() ?? [1, 1];
    if (one === 'anchor') {
      if (this.#at > from + 2 || most !== 1 || least !== 1) this.#fail('repeats an anchor', from);
      return plain;
    }
    if (most === 1 && least === 1) return one;
    const endless = most === Number.POSITIVE_INFINITY;
    if (one.endless && most > 1)
      this.#fail('repeats what has a repetition without end in it, which may take exponential time', from);
    const rounds = one.rounds * (endless ? Math.max(1, least) : most);
    if (rounds > mostRounds) this.#fail(`repeats more than ${mostRounds} times`, from);
    this.#take('?');
    if (this.#quantifier() !== undefined) this.#fail('has two quantifiers in a row');
    return { endless: endless || one.endless, rounds };
  }

  /** Undefined: none follows. */
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
    return char === '^' || char === '$' ? 'anchor' : plain;
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
    return inside;
  }

  #escape(): Piece | 'anchor' {
    const char = this.#text[this.#at + 1] ?? '';
    if (!/^[dDwWsSbB]$/.test(char) && !/^[!-/:-@[-`{-~]$/.test(char))
      this.#fail(`has \\${char}; only \\d \\w \\s \\b, their opposites and punctuation are accepted after a backslash`);
    this.#at += 2;
    return char === 'b' || char === 'B' ? 'anchor' : plain;
  }

  #set(): Piece {
    const from = this.#at;
    this.#at += 1;
    this.#take('^');
    let before: string | undefined;
    for (let count = 0; !this.#take(']'); count += 1) {
      if (this.#at >= this.#text.length) this.#fail('has a [ without its ]', from);
      if (this.#next === '[') this.#fail('has a [ inside of a set; write \\[');
      const char = this.#inSet();
      if (char === undefined || this.#next !== '-' || this.#text[this.#at + 1] === ']') {
        before = char;
        continue;
      }
      this.#at += 1;
      if (this.#at >= this.#text.length) this.#fail('has a [ without its ]', from);
      before = this.#inSet();
      if (before === undefined || before < char) this.#fail('has a range in a set that ends before it begins', from);
      if (count > 255) this.#fail('has a set with too many entries', from);
    }
    if (this.#at - from <= 2 || this.#text.slice(from, this.#at) === '[^]') this.#fail('has an empty set', from);
    return plain;
  }

  /** A character; undefined: a kind of characters, such as \d. */
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

function joined(one: Piece, other: Piece): Piece {
  return { endless: one.endless || other.endless, rounds: Math.max(one.rounds, other.rounds) };
}
