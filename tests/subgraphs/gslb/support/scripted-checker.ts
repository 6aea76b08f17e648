// A checker whose results the test sets. It speaks the link's messages over real mutual TLS, and does nothing else.
import { WebSocket } from 'ws';
import { linkVersion, readToMachine, type ToMachine } from '../../../../platform/link/messages.ts';
import { clientOptions } from '../../../../platform/machines/tls.ts';
import type { Verdict } from '../../../../subgraphs/gslb/rules/quorum.ts';
import {
  batchKey,
  type Grant,
  grantDocument,
  grantKey,
  stampKey,
  type Target,
  targetDocument,
  targetId,
} from '../../../../subgraphs/gslb/wire/checker-wire.ts';
import type { TestMachine } from '../../../support/product/machines.ts';

export class ScriptedChecker {
  readonly machine: TestMachine;
  readonly vantagePoint: string;
  /** Target documents by target key. */
  readonly targets = new Map<string, Target>();
  /** Its verdicts by member. Members without an entry are UP. */
  readonly sees = new Map<string, Verdict>();
  readonly grants: Grant[] = [];
  connections = 0;
  /** True if it sends nothing, like a checker that is cut off. */
  silent = false;
  #socket: WebSocket | undefined;
  #port: number;
  #stampMs = 0;
  #number = 0;
  #reports = 0;
  #waiting = false;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  /** The verdicts reported in this epoch, by target. */
  #said = new Map<string, Verdict>();

  constructor(machine: TestMachine, vantagePoint: string, port: number) {
    this.machine = machine;
    this.vantagePoint = vantagePoint;
    this.#port = port;
  }

  get grant(): Grant | undefined {
    return this.grants.at(-1);
  }

  /** True if the conductor has acknowledged all current verdicts. */
  get isHeard(): boolean {
    return this.#number > 0 && !this.#waiting && this.#news().length === 0;
  }

  start(): void {
    this.#connect();
    this.#timer = setInterval(() => this.#speak(true), 100);
  }

  /** Uses another process from the next connection on. */
  moveTo(port: number): void {
    this.#port = port;
    this.#socket?.terminate();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#timer);
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    await new Promise((resolve) => {
      socket.once('close', resolve);
      socket.terminate();
    });
  }

  see(member: string, verdict: Verdict): void {
    this.sees.set(member, verdict);
    this.#speak(false);
  }

  #connect(): void {
    const socket = new WebSocket(`wss://127.0.0.1:${this.#port}/link`, {
      ...clientOptions(this.machine, 'gslb'),
      minVersion: 'TLSv1.3',
    });
    this.#socket = socket;
    socket.on('open', () => {
      this.connections += 1;
      this.targets.clear();
      [this.#number, this.#waiting] = [0, true];
      const facts = { vantagePoint: this.vantagePoint, version: 'test', plugins: ['TCP'] };
      socket.send(JSON.stringify({ type: 'hello', version: linkVersion, facts, held: {}, mark: null }));
    });
    socket.on('message', (data) => {
      const message = readToMachine(String(data));
      if (message !== undefined && socket === this.#socket) this.#take(message);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#ended) setTimeout(() => this.#connect(), 20);
    });
  }

  #take(message: ToMachine): void {
    if (message.type === 'document' && message.key === grantKey) this.#begin(grantDocument.parse(message.document));
    else if (message.type === 'document') {
      const target = targetDocument.parse(message.document);
      this.targets.set(targetId(target), target);
    } else if (message.type === 'gone') this.targets.delete(message.key.replace(/^target\//, ''));
    else if (message.type === 'change' && message.key === stampKey) this.#stampMs = Number(message.change.stampMs);
    else if (message.type === 'stored') {
      this.#waiting = false;
      this.#speak(false);
    }
  }

  #begin(grant: Grant): void {
    // Its batch numbers start over.
    if (grant.incarnation !== this.grant?.incarnation || grant.history !== this.grant.history)
      [this.#number, this.#waiting] = [0, false];
    this.grants.push(grant);
    this.#said.clear();
    this.#stampMs = Math.max(this.#stampMs, grant.stampMs);
    this.#speak(false);
  }

  #news(): readonly { readonly target: string; readonly verdict: Verdict }[] {
    return [...this.targets.values()].flatMap((target) => {
      const verdict = this.sees.get(target.member) ?? 'UP';
      const id = targetId(target);
      return this.#said.get(id) === verdict ? [] : [{ target: id, verdict }];
    });
  }

  /** Sends the changes, or a heartbeat, one batch at a time. */
  #speak(heartbeat: boolean): void {
    const { grant } = this;
    if (this.silent || this.#waiting || grant === undefined || this.#socket?.readyState !== WebSocket.OPEN) return;
    const news = this.#news();
    if (news.length === 0 && !heartbeat) return;
    [this.#number, this.#reports, this.#waiting] = [this.#number + 1, this.#reports + 1, true];
    for (const { target, verdict } of news) this.#said.set(target, verdict);
    const body = {
      history: grant.history,
      ...{ vantagePoint: this.vantagePoint, incarnation: grant.incarnation, epoch: grant.epoch, number: this.#number },
      ...{ stampMs: this.#stampMs, abstains: false, past: [] },
      verdicts: news.map(({ target, verdict }) => ({
        ...{ target, verdict, agoMs: 1, latencyMs: verdict === 'UP' ? 10 : null },
        message: verdict === 'UP' ? null : 'connection refused',
      })),
      load: { targets: this.targets.size, lateMs: 0, dropped: 0, abstains: null },
    };
    this.#socket.send(JSON.stringify({ type: 'report', number: this.#reports, key: batchKey, body }));
  }
}
