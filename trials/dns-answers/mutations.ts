// Queries of each kind, and mutations of them as a public name server may receive them.
import type { Random } from '../random.ts';
import { knownNames, zone } from './world.ts';

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.from([...labels.flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]), 0]);
}

function uint16(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]));
}

interface QuestionParts {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly class?: number;
  readonly flags?: number;
  /** Data of an OPT record. */
  readonly options?: Buffer;
  readonly ednsFlags?: number;
}

export function questionOf({
  id,
  name,
  type,
  class: group = 1,
  flags = 0,
  options,
  ednsFlags = 0,
}: QuestionParts): Buffer {
  const opt = options && Buffer.concat([Buffer.from([0]), uint16(41, 1_232, 0, ednsFlags, options.length), options]);
  return Buffer.concat([
    ...[uint16(id, flags, 1, 0, 0, opt === undefined ? 0 : 1), nameBytes(name), uint16(type, group)],
    ...(opt === undefined ? [] : [opt]),
  ]);
}

const types = [1, 28, 5, 6, 2, 16, 48, 43, 47, 46, 255, 251, 252, 128, 41, 250, 0, 65_535];

export function randomQuestion(random: Random): Buffer {
  const label = random.pick([...Object.keys(knownNames), 'none', 'any.wild', 'y.x.wild', 'p0', '']);
  const name =
    random.next() < 0.9 ? `${label === '' ? '' : `${label}.`}${zone}` : random.pick(['.', 'test.', 'example.org.']);
  const cased = [...name].map((letter) => (random.next() < 0.5 ? letter.toUpperCase() : letter)).join('');
  const options = random.pick(['none', Buffer.alloc(0), randomOptions(random)]);
  return questionOf({
    ...{ id: random.integer(0, 65_535), name: random.next() < 0.5 ? name : cased },
    type: random.next() < 0.6 ? random.pick([1, 28]) : random.pick(types),
    class: random.next() < 0.95 ? 1 : random.pick([3, 4, 254, 255, 0]),
    flags: random.next() < 0.9 ? random.pick([0, 0x100, 0x110, 0x120]) : random.integer(0, 0x7fff),
    ...(typeof options === 'string' ? {} : { options }),
    ednsFlags: random.pick([0, 0x8000, 0xc000]),
  });
}

function randomOptions(random: Random): Buffer {
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => random.integer(0, 255)));
  const option = (code: number, data: Buffer) => Buffer.concat([uint16(code, data.length), data]);
  const bits = random.integer(0, 34);
  const subnet = Buffer.concat([
    Buffer.from([0, random.integer(0, 3), bits, random.next() < 0.9 ? 0 : 8]),
    bytes(random.integer(0, 5)),
  ]);
  const masked = Buffer.from([0, 1, 24, 0, 10, random.integer(0, 9), random.integer(0, 9)]);
  const all = [
    option(8, masked),
    option(8, subnet),
    option(3, Buffer.alloc(0)),
    option(10, bytes(random.pick([8, 24, 9, 41]))),
  ];
  return Buffer.concat(
    random.shuffle([...all, option(random.integer(11, 65_535), bytes(4))]).slice(0, random.integer(1, 4)),
  );
}

/** The changes range from none to unrecognizable. */
export function mutated(packet: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(packet);
  const at = () => random.integer(0, Math.max(0, bytes.length - 1));
  switch (random.integer(0, 7)) {
    case 0:
      return bytes;
    case 1:
      for (let count = random.integer(1, 3); count > 0; count -= 1) bytes[at()] = random.integer(0, 255);
      return bytes;
    case 2:
      bytes[at()] = (bytes[at()] ?? 0) ^ (1 << random.integer(0, 7));
      return bytes;
    case 3:
      return bytes.subarray(0, at());
    case 4:
      return Buffer.concat([bytes, Buffer.alloc(random.integer(1, 600), random.integer(0, 255))]);
    case 5: {
      // Counts and lengths.
      const place = random.pick([4, 6, 8, 10, Math.max(0, bytes.length - 2)]);
      if (place + 2 <= bytes.length) bytes.writeUInt16BE(random.pick([0, 1, 2, 3, 255, 65_535]), place);
      return bytes;
    }
    case 6:
      return Buffer.concat([bytes.subarray(0, at()), bytes.subarray(at())]);
    default: {
      // Inserts a compression pointer.
      const place = at();
      if (place + 2 <= bytes.length) bytes.writeUInt16BE(0xc000 | random.integer(0, 63), place);
      return bytes;
    }
  }
}
