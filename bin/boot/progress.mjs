// Progress of long steps: on a terminal one line that changes, otherwise a line per step. It goes to stderr, because a program may
// read stdout (`--print-config`).

const REDRAW_MS = 120;
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

export class Progress {
  #stream;
  #step;
  #timer;

  constructor(stream) {
    this.#stream = stream;
  }

  start(label) {
    this.abandon();
    this.#step = { label, startedMs: performance.now(), detail: '', frame: 0 };
    if (!this.#stream.isTTY) {
      this.#stream.write(`${label} …\n`);
      return;
    }
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  /** What is being done just now; only a terminal shows it. */
  detail(text) {
    if (this.#step !== undefined) this.#step.detail = text;
  }

  done() {
    const step = this.#step;
    this.abandon();
    if (step === undefined) return;
    const seconds = ((performance.now() - step.startedMs) / 1000).toFixed(1);
    this.#stream.write(
      this.#stream.isTTY ? `✓ ${step.label} (${seconds} s)\n` : `${step.label}: done in ${seconds} s\n`,
    );
  }

  /** Clears the changing line, so that something else can be written. */
  abandon() {
    clearInterval(this.#timer);
    if (this.#step !== undefined && this.#stream.isTTY) this.#stream.write('\r\u001b[2K');
    this.#step = undefined;
  }

  #draw() {
    const { label, startedMs, detail, frame } = this.#step;
    this.#step.frame += 1;
    const seconds = Math.floor((performance.now() - startedMs) / 1000);
    const text = `${FRAMES[frame % FRAMES.length]} ${label} (${seconds} s)${detail === '' ? '' : `  ${detail}`}`;
    this.#stream.write(`\r\u001b[2K${text.slice(0, (this.#stream.columns ?? 80) - 1)}`);
  }
}
