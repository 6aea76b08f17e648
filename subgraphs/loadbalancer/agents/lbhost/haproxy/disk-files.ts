// The files of one HAProxy: its configuration and the files that it refers to. Each is replaced as a whole. All are readable by their owner
// alone, because some contain private keys.
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configurationText, type HaproxyModel } from '../../../rules/haproxy/model.ts';

/** Folders of certificates and of the other files that the configuration refers to. */
const fileFolders = ['certificates', 'files'] as const;

export class DiskFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get configuration(): string {
    return join(this.#folder, 'haproxy.cfg');
  }

  /** A configuration to be checked before it replaces the running one. */
  get candidate(): string {
    return join(this.#folder, 'haproxy.cfg.candidate');
  }

  /** States of servers, read when a worker starts. */
  get states(): string {
    return join(this.#folder, 'servers.state');
  }

  isConfigured(): Promise<boolean> {
    return access(this.configuration).then(
      () => true,
      () => false,
    );
  }

  /** Writes what differs from `before`, which is already on disk. Undefined writes everything. */
  async write(model: HaproxyModel, before?: HaproxyModel): Promise<void> {
    await this.writeNamed(model, before);
    await this.put(this.configuration, configurationText(model));
  }

  /** Writes the files that the configuration refers to. */
  async writeNamed(model: HaproxyModel, before?: HaproxyModel): Promise<void> {
    const present = contentsOf(before);
    for (const [path, content] of contentsOf(model)) if (present.get(path) !== content) await this.put(path, content);
  }

  /** Deletes files that the configuration no longer refers to: a deleted certificate's key must not stay. */
  async prune(model: HaproxyModel): Promise<void> {
    const named = contentsOf(model);
    for (const folder of fileFolders)
      for (const name of await readdir(join(this.#folder, folder)).catch(() => [])) {
        const path = join(this.#folder, folder, name);
        if (!named.has(path)) await rm(path, { force: true });
      }
  }

  async put(path: string, content: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, content, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  /** The files whose content on disk differs from the model. */
  async differences(model: HaproxyModel): Promise<string[]> {
    const wanted = new Map([...contentsOf(model), [this.configuration, configurationText(model)] as const]);
    const found: string[] = [];
    for (const [path, content] of wanted)
      if ((await readFile(path, 'utf8').catch(() => undefined)) !== content)
        found.push(`${path} differs from the model`);
    return found;
  }
}

function contentsOf(model: HaproxyModel | undefined): Map<string, string> {
  if (model === undefined) return new Map();
  return new Map([
    ...[...model.certificates.values()].map(({ path, pem }) => [path, pem] as const),
    ...[...model.files.values()].map(({ path, content }) => [path, content] as const),
  ]);
}
