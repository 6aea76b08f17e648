// Certificates, lists of certificates, authorities and patterns that a running HAProxy has in memory, changed on its runtime socket.
import type { CertificateModel, FileModel, HaproxyModel, ServerModel } from './model.ts';
import { runtimeWord } from './quoting.ts';
import { RuntimeError, type RuntimeSocket } from './runtime-socket.ts';

const began = /[Tt]ransaction (created|updated)/;
const done = /Success!/;

export class RuntimeFiles {
  readonly #runtime: RuntimeSocket;

  constructor(runtime: RuntimeSocket) {
    this.#runtime = runtime;
  }

  /** One that is not loaded is loaded when something names it. */
  async replaceCertificate(certificate: CertificateModel): Promise<void> {
    if (await this.#has('cert', certificate.path)) await this.#setCertificate(certificate);
  }

  /** One that is not loaded is loaded when a server names it. */
  async put(file: FileModel, model: HaproxyModel): Promise<void> {
    switch (file.kind) {
      case 'AUTHORITIES':
        return this.#replaceBundle('ca-file', file);
      case 'REVOCATIONS':
        return this.#replaceBundle('crl-file', file);
      case 'CERTIFICATE_LIST':
        return this.#putList(file, model);
      case 'PATTERNS':
        return this.#putPatterns(file);
    }
  }

  /** Loads what the keywords of a server name: a pool's first server names it first. */
  async prepare({ keywords }: ServerModel, model: HaproxyModel): Promise<void> {
    const named = (keyword: string) => keywords[keywords.indexOf(keyword) + 1];
    if (keywords.includes('ca-file')) {
      const file = model.files.get(named('ca-file') ?? '');
      if (file !== undefined && !(await this.#has('ca-file', file.path))) {
        await this.#runtime.tell(`new ssl ca-file ${runtimeWord(file.path)}`, /New CA file/);
        await this.#replaceBundle('ca-file', file);
      }
    }
    if (keywords.includes('crt')) {
      const certificate = model.certificates.get(named('crt') ?? '');
      if (certificate !== undefined) await this.#loadCertificate(certificate);
    }
  }

  /** The key of a deleted certificate does not stay in memory, unless something uses it still. */
  async forgetCertificate(path: string): Promise<void> {
    await this.#runtime.ask(`del ssl cert ${runtimeWord(path)}`);
  }

  async #has(kind: 'cert' | 'ca-file' | 'crl-file', path: string): Promise<boolean> {
    return (await this.#runtime.ask(`show ssl ${kind}`)).split('\n').some((line) => line.split(' - ')[0] === path);
  }

  async #loadCertificate(certificate: CertificateModel): Promise<void> {
    if (await this.#has('cert', certificate.path)) return;
    await this.#runtime.tell(`new ssl cert ${runtimeWord(certificate.path)}`, /New empty/);
    await this.#setCertificate(certificate);
  }

  #setCertificate({ path, pem }: CertificateModel): Promise<void> {
    const file = runtimeWord(path);
    return this.#commit(`set ssl cert ${file}`, `commit ssl cert ${file}`, `abort ssl cert ${file}`, pem);
  }

  async #replaceBundle(kind: 'ca-file' | 'crl-file', { path, content }: FileModel): Promise<void> {
    if (!(await this.#has(kind, path))) return;
    const file = runtimeWord(path);
    await this.#commit(`set ssl ${kind} ${file}`, `commit ssl ${kind} ${file}`, `abort ssl ${kind} ${file}`, content);
  }

  async #commit(set: string, commit: string, abort: string, payload: string): Promise<void> {
    try {
      await this.#runtime.tell(set, began, payload);
      await this.#runtime.tell(commit, done);
    } catch (error) {
      // One that stays open would be part of the next change.
      await this.#runtime.ask(abort);
      throw error;
    }
  }

  async #putList({ path, content }: FileModel, model: HaproxyModel): Promise<void> {
    const file = runtimeWord(path);
    const answer = await this.#runtime.ask(`show ssl crt-list -n ${file}`);
    if (!answer.startsWith('#')) throw new RuntimeError(`show ssl crt-list -n ${path}`, answer);
    const present = new Set(
      answer
        .split('\n')
        .slice(1)
        .map((line) => line.replace(/:\d+$/, ''))
        .filter((line) => line !== ''),
    );
    const wanted = new Set(content.split('\n').filter((line) => line !== ''));
    for (const certificate of wanted) {
      if (present.has(certificate)) continue;
      const known = model.certificates.get(certificate);
      if (known !== undefined) await this.#loadCertificate(known);
      await this.#runtime.tell(`add ssl crt-list ${file} ${runtimeWord(certificate)}`, done);
    }
    for (const certificate of present)
      if (!wanted.has(certificate))
        await this.#runtime.tell(`del ssl crt-list ${file} ${runtimeWord(certificate)}`, /deleted/);
  }

  /** All at once, as a new version: clients see the old patterns or the new ones. */
  async #putPatterns({ path, content }: FileModel): Promise<void> {
    const file = runtimeWord(path);
    const answer = await this.#runtime.ask(`prepare acl ${file}`);
    const [, version] = /New version created: (\d+)/.exec(answer) ?? [];
    if (version === undefined) throw new RuntimeError(`prepare acl ${path}`, answer);
    for (const pattern of content.split('\n').filter((line) => line !== ''))
      await this.#runtime.tell(`add acl @${version} ${file} ${runtimeWord(pattern)}`);
    await this.#runtime.tell(`commit acl @${version} ${file}`);
  }
}
