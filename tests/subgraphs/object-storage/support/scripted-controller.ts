// A controller that keeps its documents in memory.
import { generateKeyPairSync } from 'node:crypto';
import { LinkClient } from '../../../../platform/link/link-client.ts';
import type { AnswerQuestion } from '../../../../platform/link/questions.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import type { Position } from '../../../../platform/values/positions.ts';
import {
  type ControllerState,
  controlPlaneRole,
  stateEveryMs,
  stateKey,
  takeDocument,
} from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import {
  DocumentKeys,
  type VerifiedDocument,
} from '../../../../subgraphs/object-storage/wire/documents/signed-document.ts';
import type { TestMachine } from '../../../support/product/machines.ts';

export function clusterKeys(): { readonly publicKey: string; readonly privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

export class ScriptedController {
  readonly #client: LinkClient;
  #saying: NodeJS.Timeout | undefined;
  readonly documents = new Map<string, VerifiedDocument>();
  readonly keyPair = clusterKeys();
  /** Names of documents in order of arrival. */
  readonly came: string[] = [];
  keys: DocumentKeys | undefined;
  position: Position = { history: '', number: 0 };
  wholes = 0;

  /** `answer`: the answer to the control plane's requests to its cluster. If absent, they get none. */
  constructor(tls: TestMachine, port: number, log: Logger, answer?: AnswerQuestion) {
    this.#client = new LinkClient({
      ...{ urls: [`wss://127.0.0.1:${port}/link`], role: controlPlaneRole, tls, log, ...(answer && { answer }) },
      documents: {
        held: () => new Map(),
        put: async (key, position, document) => this.#put(key, position, document),
        change: async () => false,
        remove: async () => undefined,
      },
      whole: () => {
        this.wholes += 1;
      },
      facts: () => ({
        ...{ position: this.position, keyIds: [...(this.keys?.ids() ?? [])], version: 'test' },
        publicKey: this.keyPair.publicKey,
      }),
    });
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  start(): void {
    this.#client.start();
  }

  stop(): Promise<void> {
    clearInterval(this.#saying);
    return this.#client.stop();
  }

  reconnect(): void {
    this.#client.reconnect();
  }

  /** Repeats the report like real controllers, because a silent one counts as absent. */
  keepSaying(state: Partial<ControllerState>): void {
    clearInterval(this.#saying);
    this.say(state);
    this.#saying = setInterval(() => this.say(state), stateEveryMs);
  }

  say(state: Partial<ControllerState> = {}): void {
    const usual = { position: this.position, clockMs: Date.now(), rings: {}, links: [], services: [], disk: null };
    this.#client.report(stateKey, { ...usual, ...state } as unknown as JsonValue);
  }

  #put(key: string, position: Position, document: JsonValue): void {
    const { number: generation } = position;
    const held = this.documents.get(key)?.generation ?? 0;
    const taken = takeDocument({ generation, document }, { keys: this.keys, held });
    this.came.push(key);
    this.documents.set(key, taken);
    if (generation > 0) this.position = position;
    if (taken.kind === 'keys' && taken.body !== undefined) this.keys = new DocumentKeys(taken.body);
  }
}
