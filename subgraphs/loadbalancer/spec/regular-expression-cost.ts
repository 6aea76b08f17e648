// Estimates the cost of a regular expression for a backtracking engine on a value of a few thousand characters. A repeated group must match
// a text in only one way; otherwise the ways multiply with each round (Brüggemann-Klein and Wood, "One-Unambiguous Regular Languages",
// 1998, with the loop's own edges). Outside of groups, each repetition that may give characters back to the rest of the expression
// multiplies the cost by the length of the value.

/** A bit for each character code below 256. */
export type CharSet = bigint;

export type Node =
  | { readonly kind: 'char'; readonly set: CharSet; readonly at: number }
  | { readonly kind: 'anchor'; readonly isStart: boolean; readonly at: number }
  | { readonly kind: 'sequence' | 'alternatives'; readonly of: readonly Node[] }
  | {
      readonly kind: 'repetition';
      readonly of: Node;
      readonly least: number;
      readonly most: number;
      readonly at: number;
    };

export const plainNode: Node = { kind: 'sequence', of: [] };

interface CostFault {
  readonly message: string;
  /** Index of the offending character. */
  readonly at: number;
}

/** Limit of such repetitions; the search for a starting position counts as one more. */
const mostOverlaps = 2;
/** Limit for the product of the numbers of parts that may match the same character. */
const mostChoices = 100;
/** A repetition of at most this many characters costs only a constant factor. */
const mostShort = 16;

export function setOf(chars: string): CharSet {
  let set = 0n;
  for (const char of chars) set |= 1n << BigInt(char.charCodeAt(0) & 0xff);
  return set;
}

/** Undefined if its cost is at most quadratic in the value's length. */
export function costFault(root: Node): CostFault | undefined {
  const automaton = new Automaton();
  const { first } = automaton.add(root);
  if (automaton.fault !== undefined) return automaton.fault;
  if (automaton.choices(first) > mostChoices)
    return { message: 'has too many optional parts or alternatives that begin with the same character', at: 0 };
  const overlaps = automaton.overlapsOf(root);
  const [last] = overlaps.slice(-1);
  if (last !== undefined && overlaps.length + (isAnchored(root) ? 0 : 1) > mostOverlaps)
    return {
      message: `has too many repetitions that overlap with what follows them: ${mostOverlaps} are accepted after ^, ${mostOverlaps - 1} elsewhere`,
      at: last,
    };
  return undefined;
}

type Repetition = Extract<Node, { kind: 'repetition' }>;
type Char = Extract<Node, { kind: 'char' }>;

interface Ends {
  readonly nullable: boolean;
  readonly first: readonly Char[];
  readonly last: readonly Char[];
}

/** Glushkov's automaton: its states are the characters of the expression. */
class Automaton {
  readonly #follow = new Map<Char, Set<Char>>();
  readonly #ends = new Map<Node, Ends>();
  fault: CostFault | undefined;

  add(node: Node): Ends {
    const ends = this.#endsOf(node);
    this.#ends.set(node, ends);
    return ends;
  }

  #endsOf(node: Node): Ends {
    switch (node.kind) {
      case 'char':
        this.#follow.set(node, new Set());
        return { nullable: false, first: [node], last: [node] };
      case 'anchor':
        return { nullable: true, first: [], last: [] };
      case 'alternatives': {
        const parts = node.of.map((each) => this.add(each));
        return {
          nullable: parts.some(({ nullable }) => nullable),
          first: parts.flatMap(({ first }) => first),
          last: parts.flatMap(({ last }) => last),
        };
      }
      case 'sequence': {
        let whole: Ends = { nullable: true, first: [], last: [] };
        for (const each of node.of) whole = this.#joined(whole, this.add(each));
        return whole;
      }
      case 'repetition': {
        const inside = this.add(node.of);
        const isFixed = node.least === node.most && node.of.kind === 'char';
        if (node.most > 1 && !isFixed) this.#loop(node, inside);
        return { ...inside, nullable: inside.nullable || node.least === 0 };
      }
    }
  }

  #joined(one: Ends, other: Ends): Ends {
    for (const from of one.last) for (const to of other.first) this.#follow.get(from)?.add(to);
    return {
      nullable: one.nullable && other.nullable,
      first: one.nullable ? [...one.first, ...other.first] : one.first,
      last: other.nullable ? [...one.last, ...other.last] : other.last,
    };
  }

  #loop(node: Repetition, { nullable, first, last }: Ends): void {
    const refuse = (message: string) => {
      this.fault ??= { message, at: node.at };
    };
    if (nullable && node.of.kind !== 'char') refuse('repeats a group that may be empty');
    for (const from of last)
      for (const to of first) {
        const follow = this.#follow.get(from);
        if (follow?.has(to) === true) refuse('repeats a group that can match the same text in several ways');
        follow?.add(to);
      }
    if (node.of.kind === 'char') return;
    const inside = charsOf(node.of);
    for (const next of [first, ...inside.map((each) => [...(this.#follow.get(each) ?? [])])])
      if (overlaps(next)) refuse('repeats a group that can match the same text in several ways');
  }

  /** The largest number of paths through all states in which several parts may match the same character. */
  choices(first: readonly Char[]): number {
    const states = [first, ...[...this.#follow.values()].map((next) => [...next])];
    const ofRounds = [...this.#ends.keys()].map((node) =>
      node.kind === 'repetition' && !isLong(node) && this.#gives(node) ? node.most - node.least + 1 : 1,
    );
    return [...states.map(mostAtOnce), ...ofRounds].reduce(
      (one, other) => Math.min(one * other, Number.MAX_SAFE_INTEGER),
      1,
    );
  }

  /**
   * Positions where a repetition begins that can give characters back to the rest of the expression. For alternatives, the values of the worst one.
   */
  overlapsOf(node: Node): number[] {
    switch (node.kind) {
      case 'char':
      case 'anchor':
        return [];
      case 'sequence':
        return node.of.flatMap((each) => this.overlapsOf(each));
      case 'alternatives':
        return node.of
          .map((each) => this.overlapsOf(each))
          .reduce((one, other) => (other.length > one.length ? other : one), []);
      case 'repetition':
        return [...this.overlapsOf(node.of), ...(isLong(node) && this.#gives(node) ? [node.at] : [])];
    }
  }

  /** Whether the same text could match either another round of the repetition or the part after it. */
  #gives({ of }: Repetition): boolean {
    const own = new Set(charsOf(of));
    const { first = [], last = [] } = this.#ends.get(of) ?? {};
    const next = last.flatMap((each) => [...(this.#follow.get(each) ?? [])]).filter((each) => !own.has(each));
    return first.some(({ set }) => next.some((other) => (other.set & set) !== 0n));
  }
}

function isLong({ least, most }: Repetition): boolean {
  return most - least > mostShort;
}

function charsOf(node: Node): Char[] {
  switch (node.kind) {
    case 'char':
      return [node];
    case 'anchor':
      return [];
    case 'repetition':
      return charsOf(node.of);
    default:
      return node.of.flatMap(charsOf);
  }
}

/** The highest number of parts that match the same character; at least 1. */
function mostAtOnce(chars: readonly Char[]): number {
  const distinct = [...new Set(chars)];
  return Math.max(1, ...distinct.map(({ set }) => distinct.filter((other) => (other.set & set) !== 0n).length));
}

function overlaps(chars: readonly Char[]): boolean {
  let seen = 0n;
  for (const { set } of new Set(chars)) {
    if ((seen & set) !== 0n) return true;
    seen |= set;
  }
  return false;
}

/** Whether a match can begin only at the start of the value: PCRE2 tries a leading `.*` only there. */
function isAnchored(node: Node): boolean {
  switch (node.kind) {
    case 'anchor':
      return node.isStart;
    case 'char':
      return false;
    case 'alternatives':
      return node.of.every(isAnchored);
    case 'sequence':
      return node.of[0] !== undefined && isAnchored(node.of[0]);
    case 'repetition':
      return (
        node.least === 0 &&
        node.most === Number.POSITIVE_INFINITY &&
        node.of.kind === 'char' &&
        node.of.set === setOfAll
      );
  }
}
const setOfAll = (1n << 256n) - 1n;
