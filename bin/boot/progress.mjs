// Progress of long steps, of which several may run side by side: on a terminal one line that changes, otherwise a line per step. It goes to
// stderr, because a program may read stdout (`--print-config`).

const REDRAW_MS = 120;
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

export class Progress {
  #stream;
  #steps = new Set();
  #frame = 0;
  #timer;

  constructor(stream) {
    this.#stream = stream;
  }

  /** `detail` tells what is being done just now, which only a terminal shows; `abandon` ends the step without a line. */
  start(label) {
    const step = { label, startedMs: performance.now(), detail: '' };
    this.#steps.add(step);
    if (this.#stream.isTTY) {
      this.#draw();
      this.#timer ??= setInterval(() => this.#draw(), REDRAW_MS);
    } else this.#stream.write(`${label} …\n`);
    return {
      detail(text) {
        step.detail = text;
      },
      done: () => this.#done(step),
      abandon: () => this.#end(step),
    };
  }

  /** Clears the changing line, so that something else can be written. */
  abandon() {
    for (const step of this.#steps) this.#end(step);
  }

  #done(step) {
    this.#end(step);
    const seconds = ((performance.now() - step.startedMs) / 1000).toFixed(1);
    this.#stream.write(
      this.#stream.isTTY ? `✓ ${step.label} (${seconds} s)\n` : `${step.label}: done in ${seconds} s\n`,
    );
  }

  #end(step) {
    this.#steps.delete(step);
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[2K');
    if (this.#steps.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw() {
    this.#frame += 1;
    const texts = [...this.#steps].map(({ label, startedMs, detail }) => {
      const seconds = Math.floor((performance.now() - startedMs) / 1000);
      return `${label} (${seconds} s)${detail === '' ? '' : `  ${detail}`}`;
    });
    const line = `${FRAMES[this.#frame % FRAMES.length]} ${texts.join('; ')}`;
    this.#stream.write(`\r\u001b[2K${line.slice(0, (this.#stream.columns ?? 80) - 1)}`);
  }
}
