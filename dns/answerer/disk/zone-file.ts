// A zone's plan on disk: a file with the whole plan, and a file with a line for each later change, so that a change of one name costs a line. Private
// keys are sealed. Changes that a crash cut off are ignored.
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { isMissing, writeWhole } from '../../../platform/secrets/key-file.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { DnssecKeyPlan, ZoneChange, ZonePlan } from '../../policy/plan.ts';
import { applyZoneChange } from '../../policy/plan.ts';
import { readZoneChange, readZonePlan } from '../../policy/plan-schema.ts';

/** The changes are then replaced by a whole plan. */
const mostChangesBytes = 16 * 1024 * 1024;

export class ZoneFile {
  readonly #path: string;
  readonly #sealer: Sealer;
  #changes: FileHandle | undefined;
  #changesBytes = 0;
  #hasOldChanges = false;

  /** `path`: without the extension. */
  constructor(path: string, sealer: Sealer) {
    this.#path = path;
    this.#sealer = sealer;
  }

  /** Whether a whole plan should be written: there are too many changes, or changes of another process, whose last one may be incomplete. */
  get wantsPlan(): boolean {
    return this.#changesBytes > mostChangesBytes || this.#hasOldChanges;
  }

  async writePlan(plan: ZonePlan): Promise<void> {
    await this.close();
    await writeWhole(`${this.#path}.json`, JSON.stringify(this.#sealed(plan)));
    // Changes of an older plan do not apply to this one, so they may stay.
    await rm(`${this.#path}.changes`, { force: true });
    this.#changesBytes = 0;
    this.#hasOldChanges = false;
  }

  async appendChanges(changes: readonly ZoneChange[]): Promise<void> {
    const lines = changes.map((change) => {
      const { head } = change;
      return `${JSON.stringify(head === undefined ? change : { ...change, head: this.#sealed(head) })}\n`;
    });
    const text = lines.join('');
    this.#changes ??= await open(`${this.#path}.changes`, 'a', 0o600);
    // Unlike a write, it never stops halfway without an error.
    await this.#changes.appendFile(text);
    await this.#changes.datasync();
    this.#changesBytes += text.length;
  }

  /** Undefined if there is no plan. Throws when it can't be read. */
  async read(): Promise<ZonePlan | undefined> {
    const text = await readFile(`${this.#path}.json`, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    let plan = readZonePlan(this.#opened(JSON.parse(text)));
    if (plan === undefined) throw new Error(`${this.#path}.json is not the plan of a zone`);
    for (const line of await this.#lines()) {
      const change = this.#changeOf(line);
      // Later lines depend on it.
      if (change === undefined) break;
      plan = applyZoneChange(plan, change) ?? plan;
    }
    return plan;
  }

  async remove(): Promise<void> {
    await this.close();
    for (const ending of ['json', 'changes']) await rm(`${this.#path}.${ending}`, { force: true });
  }

  async close(): Promise<void> {
    await this.#changes?.close();
    this.#changes = undefined;
  }

  async #lines(): Promise<string[]> {
    const text = await readFile(`${this.#path}.changes`, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return '';
      throw error;
    });
    this.#hasOldChanges = text !== '';
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '');
  }

  /** Undefined for garbage, which a machine may leave after a power failure. */
  #changeOf(line: string): ZoneChange | undefined {
    try {
      const change = JSON.parse(line) as { head?: object };
      return readZoneChange(change.head === undefined ? change : { ...change, head: this.#opened(change.head) });
    } catch {
      return undefined;
    }
  }

  #sealed<Head extends { readonly zone: string; readonly keys: readonly DnssecKeyPlan[] }>(head: Head): object {
    const { keyId, sealed } = this.#sealer.seal(JSON.stringify(head.keys), placeOf(head.zone));
    return { ...head, keys: { keyId, sealed: sealed.toString('base64') } };
  }

  #opened(head: object): object {
    const { zone, keys } = head as { zone: string; keys: { keyId: string; sealed: string } };
    const sealed = { keyId: keys.keyId, sealed: Buffer.from(keys.sealed, 'base64') };
    return { ...head, keys: JSON.parse(this.#sealer.open(sealed, placeOf(zone))) };
  }
}

function placeOf(zone: string): string {
  return `dns-plan/${zone}`;
}
