// Texts by people and attackers: half look like names, comments, addresses and patterns, half are made to end a word, a line, a
// command or a file. A text that a shell executes creates a file `owned` in its working folder, to be found.
import type { Random } from '../random.ts';
import { attackBeginnings, attackPieces, reservedWords } from './attack-pieces.ts';

export interface Text {
  readonly kind: 'name' | 'attack';
  readonly text: string;
}

const words = [
  ...['tenant', 'web', 'db', 'prod', 'test', 'lab', 'br', 'vlan', 'port', 'shop', 'mail', 'edge', 'core'],
  ...['Finance', 'HR', 'DMZ', 'Kunde', 'ADMIN', 'iface', 'cmp', 'id', 'blocked', 'guest', 'blue', 'x', 'a'],
  ...['42', '7', '2026', '001', 'Zürich', 'Büro', 'ñandú', 'Łódź', 'Ωmega', '東京', 'отдел', 'naïve'],
];

const sentences = [
  'Front end of tenant 42, see ticket 1234.',
  'do not remove (ask operations first)',
  "the customer's own web shop: https://shop.example/?q=1&r=2",
  'temporary; 50% of the traffic',
  'union select in arguments',
  '(?i)\\bunion\\s+select\\b',
  '^/admin(?:/|$)',
  '<script>',
  'C:\\Windows\\system32',
  '192.0.2.0/24',
];

/** Kinds other than names; some have an unusual form. */
const things: readonly ((random: Random) => string)[] = [
  (random) => `${random.integer(0, 12)}/${random.integer(0, 40)}`,
  (random) => `Eth1/${random.integer(1, 16)}/${random.integer(1, 4)}`,
  (random) => `Po${random.integer(0, 5_000)}`,
  (random) => Array.from({ length: 4 }, () => random.integer(0, 260)).join('.'),
  (random) => `10.${random.integer(0, 255)}.0${random.integer(0, 9)}.${random.integer(0, 255)}`,
  (random) => `10.${random.integer(0, 255)}.${random.integer(0, 255)}.0/${random.integer(8, 33)}`,
  (random) => `2001:db8:${random.integer(0, 9_999)}::${random.integer(0, 9_999)}`,
  (random) => `2001:DB8:${random.integer(0, 9_999)}::/${random.integer(40, 129)}`,
  (random) => `::ffff:192.0.2.${random.integer(0, 255)}`,
  (random) => hexUuid(random),
  (random) => String(random.integer(-5, 70_000)),
  (random) => `ARGS:${random.pick(words)}`,
  (random) => `${random.pick(words)}.${random.pick(words)}.example`,
];

/** Lengths around the limits, on both sides. */
const lengths = [15, 16, 40, 41, 63, 64, 65, 86, 87, 88, 128, 200, 201, 255, 256, 1_024, 1_025, 4_096, 70_000, 140_000];

/** `count` texts, which are the same for the same randomness. Every second one is an attack. */
export function* textsOf(random: Random, count: number): Generator<Text> {
  for (let index = 0; index < count; index += 1) {
    yield index % 2 === 0 ? { kind: 'name', text: nameLike(random) } : { kind: 'attack', text: attack(random) };
  }
}

function nameLike(random: Random): string {
  const chance = random.next();
  if (chance < 0.15) return random.pick(things)(random);
  if (chance < 0.25) return random.pick(sentences);
  const join = chance < 0.8 ? random.pick(['-', '_', '.']) : ' ';
  const name = several(random, 1, 4, () => random.pick(words)).join(join);
  return chance < 0.35 ? name.slice(0, 12) : name;
}

function attack(random: Random): string {
  const piece = () => random.pick(random.pick(attackPieces));
  const chance = random.next();
  if (chance < 0.15) return piece();
  if (chance < 0.2) return random.pick(reservedWords);
  if (chance < 0.35) return `${random.pick(attackBeginnings)}${nameLike(random)}`;
  if (chance < 0.65) return `${nameLike(random)}${piece()}${random.next() < 0.5 ? nameLike(random) : ''}`;
  if (chance < 0.97) return several(random, 1, 12, () => (random.next() < 0.3 ? nameLike(random) : piece())).join('');
  return long(random, random.next() < 0.5 ? 'x' : piece());
}

function long(random: Random, piece: string): string {
  // The longest texts are expensive, and one of them is enough.
  const length = random.next() < 0.05 ? random.pick(lengths) : random.pick(lengths.slice(0, -2));
  return piece.repeat(Math.ceil(length / Math.max(piece.length, 1))).slice(0, length);
}

function several(random: Random, min: number, max: number, make: () => string): string[] {
  return Array.from({ length: random.integer(min, max) }, make);
}

function hexUuid(random: Random): string {
  const digits = Array.from({ length: 32 }, () => random.integer(0, 15).toString(16)).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
