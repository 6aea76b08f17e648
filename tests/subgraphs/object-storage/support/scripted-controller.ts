// A controller that keeps its documents in memory.
import { generateKeyPairSync } from 'node:crypto';
import type { JsonValue } from '../../../../platform/json.ts';
import { LinkClient } from '../../../../platform/link/link-client.ts';
import type { AnswerQuestion } from '../../../../platform/link/questions.ts';
import type { Logger } from '../../../../platform/log.ts';
import { DocumentKeys, type VerifiedDocument } from '../../../../subgraphs/object-storage/documents/signed-document.ts';
import {
  type ControllerState,
  centreRole,
  stateEveryMs,
  stateKey,
  takeDocument,
} from '../../../../subgraphs/object-storage/wire/controller-wire.ts';
import type { TestMachine } from '../../../support/machines.ts';

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
  /** Names of documents in the order in which they came. */
  readonly came: string[] = [];
  keys: DocumentKeys | undefined;
  position = 0;
  wholes = 0;

  /** `answer`: to what the centre asks of its cluster; absent: nobody answers. */
  constructor(tls: TestMachine, port: number, log: Logger, answer?: AnswerQuestion) {
    this.#client = new LinkClient({
      ...{ urls: [`wss://127.0.0.1:${port}/link`], role: centreRole, tls, log, ...(answer && { answer }) },
      documents: {
        held: () => new Map(),
        put: async (key, generation, document) => this.#put(key, generation, document),
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

  /** Again and again, as real ones do: one that is silent is absent. */
  keepSaying(state: Partial<ControllerState>): void {
    clearInterval(this.#saying);
    this.say(state);
    this.#saying = setInterval(() => this.say(state), stateEveryMs);
  }

  say(state: Partial<ControllerState> = {}): void {
    const usual = { position: this.position, clockMs: Date.now(), rings: {}, links: [], services: [], disk: null };
    this.#client.report(stateKey, { ...usual, ...state } as unknown as JsonValue);
  }

  #put(key: string, generation: number, document: JsonValue): void {
    const held = this.documents.get(key)?.generation ?? 0;
    const taken = takeDocument({ generation, document }, { keys: this.keys, held, position: this.position });
    this.came.push(key);
    this.documents.set(key, taken.document);
    this.position = taken.position;
    if (taken.document.kind === 'keys' && taken.document.body !== undefined)
      this.keys = new DocumentKeys(taken.document.body);
  }
}
