// Asks a person on the terminal, regardless of standard input and output. Typed secrets are not shown.
import { open } from 'node:fs/promises';
import { ReadStream } from 'node:tty';
import { Interruption, UsageError } from './failures.ts';
import { visible } from './visible.ts';

const mostCharacters = 1_024;
const keys = { interrupt: '\u0003', end: '\u0004', erase: '\u007f', backspace: '\b', eraseLine: '\u0015' } as const;

interface Question {
  readonly text: string;
  readonly isSecret: boolean;
}

/** Returns the answers in order. `instead`: advice for a caller without a terminal. Throws UsageError without one, and Interruption at Ctrl-C. */
export async function askOnTerminal(
  questions: readonly Question[],
  instead: string,
  signal: AbortSignal,
): Promise<string[]> {
  if (questions.length === 0) return [];
  const handle = await open('/dev/tty', 'r+').catch(() => {
    throw new UsageError(`there is no terminal to ask on: ${instead}`);
  });
  const input = new ReadStream(handle.fd);
  try {
    input.setRawMode(true);
    const answers: string[] = [];
    const keyboard = new Keyboard(input, signal);
    for (const question of questions) answers.push(await answerTo(question, keyboard, handle));
    return answers;
  } finally {
    input.setRawMode(false);
    input.destroy();
    await handle.close().catch(() => undefined);
  }
}

interface Writes {
  write(text: string): Promise<unknown>;
}

async function answerTo({ text, isSecret }: Question, keyboard: Keyboard, output: Writes): Promise<string> {
  await output.write(visible(text));
  let answer = '';
  for (;;) {
    const key = await keyboard.next();
    if (key === keys.interrupt || key === '\r' || key === '\n' || (key === keys.end && answer === '')) {
      await output.write('\r\n');
      if (key === keys.interrupt) throw new Interruption();
      return answer;
    }
    const before = answer;
    answer = edited(answer, key);
    if (!isSecret) await output.write(shownChange(before, answer));
  }
}

function edited(answer: string, key: string): string {
  if (key === keys.eraseLine) return '';
  if (key === keys.erase || key === keys.backspace) return [...answer].slice(0, -1).join('');
  return key < ' ' || answer.length >= mostCharacters ? answer : answer + key;
}

function shownChange(before: string, after: string): string {
  if (after.startsWith(before)) return after.slice(before.length);
  return '\b \b'.repeat([...before].length - [...after].length);
}

/** Handles one key at a time, and keeps input that was typed or pasted ahead. */
class Keyboard {
  readonly #input: ReadStream;
  readonly #signal: AbortSignal;
  readonly #ahead: string[] = [];

  constructor(input: ReadStream, signal: AbortSignal) {
    this.#input = input;
    this.#signal = signal;
  }

  /** Throws Interruption when the terminal is gone, or after the signal. */
  async next(): Promise<string> {
    while (this.#ahead.length === 0) this.#ahead.push(...(await this.#typed()));
    return this.#ahead.shift() ?? '';
  }

  #typed(): Promise<string> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void) => {
        this.#input.off('data', onData).off('end', onEnd).off('error', onEnd);
        this.#signal.removeEventListener('abort', onEnd);
        this.#input.pause();
        how();
      };
      const onData = (data: Buffer) => settle(() => resolve(data.toString('utf8')));
      const onEnd = () => settle(() => reject(new Interruption()));
      this.#input.on('data', onData).on('end', onEnd).on('error', onEnd);
      this.#signal.addEventListener('abort', onEnd, { once: true });
      if (this.#signal.aborted) onEnd();
      else this.#input.resume();
    });
  }
}
