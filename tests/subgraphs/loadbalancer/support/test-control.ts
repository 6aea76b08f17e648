// The control plane's end of the hosts' links, without a database. Tests set the documents and read the reports.

import { type LinkPeer, LinkServer, type LinkSession } from '../../../../platform/link/link-server.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';
import type { JsonValue } from '../../../../platform/values/json.ts';
import type { MemberReport, NodeReport } from '../../../../subgraphs/loadbalancer/agents/lbhost/node-runner.ts';
import type { WantedNode } from '../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { testMachine } from '../../../support/product/machines.ts';
import { testHistory } from '../../../support/stores/histories.ts';

export class TestControl {
  readonly documents = new Map<string, WantedNode>();
  /** The last report of each node. */
  readonly reports = new Map<string, NodeReport>();
  readonly gone = new Set<string>();
  /** The keys of all reports, in order. */
  readonly keys: string[] = [];
  /** All member reports, in order. */
  readonly memberReports: MemberReport[] = [];
  /** Connections so far. After each, a host reports everything again. */
  opened = 0;
  /** If false, hosts are not notified that the documents are complete. */
  tellsWhole = true;
  #server: LinkServer | undefined;
  #peer: LinkPeer | undefined;
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  async start(authority: CertificateAndKey, port = 0): Promise<void> {
    const tls = await testMachine(authority, 'loadbalancer', 'control', this.#log);
    const open = async (peer: LinkPeer) => this.#open(peer);
    this.#server = await LinkServer.listen({ host: '127.0.0.1', port, tls, role: 'lbhost', log: this.#log, open });
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  get connected(): number {
    return this.#server?.connected ?? 0;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  set(node: WantedNode): void {
    this.documents.set(node.id, node);
    this.#sendDocument(node);
  }

  remove(id: string): void {
    this.documents.delete(id);
    this.#peer?.send({ type: 'gone', key: id });
  }

  /** Sends any document, valid or not. */
  send(key: string, generation: number, document: JsonValue): void {
    this.#peer?.send({ type: 'document', key, position: { history: testHistory, number: generation }, document });
  }

  /** True if the node's document is in effect without faults. */
  isDone({ id, loadBalancer }: WantedNode): boolean {
    const report = this.reports.get(id);
    return report?.applied === loadBalancer.generation && report.error === null;
  }

  #open(peer: LinkPeer): LinkSession {
    this.#peer = peer;
    this.opened += 1;
    return {
      epoch: 1,
      begin: () => {
        for (const [key] of peer.held) if (!this.documents.has(key)) peer.send({ type: 'gone', key });
        for (const node of this.documents.values())
          if ((peer.held.get(node.id)?.number ?? 0) < node.generation) this.#sendDocument(node);
        if (this.tellsWhole) peer.send({ type: 'whole' });
      },
      report: async (key, body) => {
        this.keys.push(key);
        if (key.startsWith('gone/')) this.gone.add(key.slice(5));
        if (key.startsWith('member/')) this.memberReports.push(body as unknown as MemberReport);
        if (key.startsWith('node/')) this.reports.set(key.slice(5), body as unknown as NodeReport);
      },
      resend: (key) => {
        const node = this.documents.get(key);
        if (node !== undefined) this.#sendDocument(node);
      },
      closed: async () => undefined,
    };
  }

  #sendDocument(node: WantedNode): void {
    this.send(node.id, node.generation, node as unknown as JsonValue);
  }
}
