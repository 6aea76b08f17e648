// HAProxy's runtime socket as a connection that stays open (`prompt`), so that frequent queries are cheap.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const promptEnd = '\n> ';

export class RuntimeLine {
  readonly #socket: Socket;
  #text = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
    });
  }

  static async open(path: string): Promise<RuntimeLine> {
    const socket = connect(path);
    await once(socket, 'connect');
    const line = new RuntimeLine(socket);
    await line.ask('prompt');
    return line;
  }

  /** One command at a time. */
  async ask(command: string): Promise<string> {
    this.#text = '';
    this.#socket.write(`${command}\n`);
    while (!this.#text.endsWith(promptEnd)) await once(this.#socket, 'data');
    return this.#text.slice(0, -promptEnd.length).trim();
  }

  close(): void {
    this.#socket.destroy();
  }
}
