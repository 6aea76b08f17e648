// A device's output is shown, not executed: a terminal treats control characters as commands (clear the screen, set the title,
// write to the clipboard, answer with typed text), and a line break may forge a line of output.
import { expect, test } from '@jest/globals';
import { Printer } from '../../cli/printer.ts';

function printer({ isTTY = true } = {}) {
  const written: string[] = [];
  const output = { isTTY, write: (text: string) => written.push(text) > 0 } as unknown as ConstructorParameters<
    typeof Printer
  >[0];
  return { printer: new Printer(output, {}), shown: () => written.join('') };
}

const orders = [
  '\u001b[2J\u001b[H',
  '\u001b]0;title\u0007',
  '\u001b]52;c;cm0gLXJmIC8=\u001b\\',
  '\u009b31m',
  '\u001b[8m',
  'SUCCEEDED\rFAILED',
  'abc\b\b\bxyz',
  '\u202egnp.exe',
];
/** Without the printer's own colours: nothing remains that a terminal would execute, except line feeds. */
const rest = (text: string) => text.replaceAll(/\p{Cc}\[(?:0|31|32|33|90)m/gu, '').replaceAll('\n', '');
const obeyed = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

test.each(orders)('%j', async (order) => {
  for (const isTTY of [true, false]) {
    const { printer: to, shown } = printer({ isTTY });
    await to.line(`Evidence  ${order}`);
    await to.pairs([['Device error', order]]);
    await to.table(['NAME', 'STATE'], [[order, 'FAILED']]);
    await to.json({ message: order, [order]: 1 });
    await to.ndjson({ message: order });
    expect(rest(shown())).not.toMatch(obeyed);
    expect(shown().includes('\u001b')).toBe(isTTY);
    const json = shown().split('\n').at(-2) ?? '';
    expect(JSON.parse(json)).toEqual({ message: order });
  }
});

test("a line break in a value does not begin a line that looks like the program's", async () => {
  const { printer: to, shown } = printer({ isTTY: false });
  await to.pairs([
    ['State', 'FAILED'],
    ['Device error', 'no\nState  SUCCEEDED'],
  ]);
  await to.table(['NAME', 'STATE'], [['a\nb  SUCCEEDED', 'FAILED']]);
  const lines = shown().split('\n');
  expect(lines.filter((line) => /^State|^b/.test(line))).toEqual(['State         FAILED']);
  expect(shown()).toContain('Device error  no\n              State  SUCCEEDED');
});
