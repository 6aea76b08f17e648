// The files of one HAProxy: its configuration, and what that names. Each is replaced whole; all are readable by their owner alone, as
// some have private keys.
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configurationText, type HaproxyModel } from './model.ts';

/** Where certificates are, and everything else that the configuration names. */
export const fileFolders = ['certificates', 'files'] as const;

export class DiskFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get configuration(): string {
    return join(this.#folder, 'haproxy.cfg');
  }

  /** A configuration that is checked before it becomes the one that runs. */
  get candidate(): string {
    return join(this.#folder, 'haproxy.cfg.candidate');
  }

  /** States of servers, for the start of a worker. */
  get states(): string {
    return join(this.#folder, 'servers.state');
  }

  isConfigured(): Promise<boolean> {
    return access(this.configuration).then(
      () => true,
      () => false,
    );
  }

  /** What differs from `before`, which is on disk already; undefined: everything. */
  async write(model: HaproxyModel, before?: HaproxyModel): Promise<void> {
    await this.writeNamed(model, before);
    await this.put(this.configuration, configurationText(model));
  }

  /** What the configuration names. */
  async writeNamed(model: HaproxyModel, before?: HaproxyModel): Promise<void> {
    const present = contentsOf(before);
    for (const [path, content] of contentsOf(model)) if (present.get(path) !== content) await this.put(path, content);
  }

  /** What the configuration does not name any more: a deleted certificate's key does not stay. */
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

  /** In which files the disk does not say what the model says. */
  async differences(model: HaproxyModel): Promise<string[]> {
    const wanted = new Map([...contentsOf(model), [this.configuration, configurationText(model)] as const]);
    const found: string[] = [];
    for (const [path, content] of wanted)
      if ((await readFile(path, 'utf8').catch(() => undefined)) !== content)
        found.push(`${path} is not as it should be`);
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
