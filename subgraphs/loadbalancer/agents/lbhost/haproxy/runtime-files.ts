// Certificates, lists of certificates, authorities and patterns in the memory of a running HAProxy, changed through its runtime socket.
import {
  admissionsIn,
  type CertificateModel,
  type FileModel,
  type HaproxyModel,
  linesOf,
  listedIn,
  type ServerModel,
} from '../../../rules/haproxy/model.ts';
import { runtimeWord } from '../../../rules/haproxy/quoting.ts';
import { RuntimeError, type RuntimeSocket } from './runtime-socket.ts';

const began = /[Tt]ransaction (created|updated)/;
const done = /Success!/;
/** Commands in one line of the runtime socket. */
const mostCommits = 20;

/** Changes relative to the files that HAProxy has. */
interface FileChanges {
  readonly certificates: readonly CertificateModel[];
  readonly files: readonly FileModel[];
}

/** Commands for any worker. */
export function admissionCommands(file: FileModel): string[] {
  return [...admissionsIn(file)].map(([name, value]) => `set map ${runtimeWord(file.path)} ${name} ${value}`);
}

export class RuntimeFiles {
  readonly #runtime: RuntimeSocket;

  constructor(runtime: RuntimeSocket) {
    this.#runtime = runtime;
  }

  /**
   * A file is loaded when something refers to it. At every moment each name has either its old or its new certificate: new certificates are
   * listed first, then listeners' own certificates change, then unlisted ones are removed, and remaining ones are renewed.
   */
  async bring({ certificates, files }: FileChanges, model: HaproxyModel): Promise<void> {
    const of = (wanted: FileModel['kind']) => files.filter(({ kind }) => kind === wanted);
    const lists = of('CERTIFICATE_LIST');
    const listed = new Set([...model.files.values()].flatMap(listedIn));
    for (const list of lists) await this.#addListed(list, model);
    for (const each of certificates) if (!listed.has(each.path)) await this.#replaceCertificate(each);
    for (const list of lists) await this.#removeUnlisted(list);
    for (const each of certificates) if (listed.has(each.path)) await this.#replaceCertificate(each);
    for (const file of of('AUTHORITIES')) await this.#replaceBundle('ca-file', file);
    for (const file of of('REVOCATIONS')) await this.#replaceBundle('crl-file', file);
    await this.#putPatterns(of('PATTERNS'));
    // After the files that decide about new connections: no older connection has this value.
    for (const command of of('ADMISSIONS').flatMap(admissionCommands)) await this.#runtime.tell(command);
  }

  /** Loads the files that a server's keywords refer to: a pool's first server is the first to refer to them. */
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

  /** Removes the key of a deleted certificate from memory, unless something still uses it. */
  async forgetCertificate(path: string): Promise<void> {
    await this.#runtime.ask(`del ssl cert ${runtimeWord(path)}`);
  }

  async #replaceCertificate(certificate: CertificateModel): Promise<void> {
    if (await this.#has('cert', certificate.path)) await this.#setCertificate(certificate);
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
      // A transaction left open would become part of the next change.
      await this.#runtime.ask(abort);
      throw error;
    }
  }

  async #addListed({ path, content }: FileModel, model: HaproxyModel): Promise<void> {
    const present = await this.#listed(path);
    for (const certificate of linesOf(content)) {
      if (present.has(certificate)) continue;
      const known = model.certificates.get(certificate);
      if (known !== undefined) await this.#loadCertificate(known);
      await this.#runtime.tell(`add ssl crt-list ${runtimeWord(path)} ${runtimeWord(certificate)}`, done);
    }
  }

  async #removeUnlisted({ path, content }: FileModel): Promise<void> {
    const wanted = new Set(linesOf(content));
    for (const certificate of await this.#listed(path))
      if (!wanted.has(certificate))
        await this.#runtime.tell(`del ssl crt-list ${runtimeWord(path)} ${runtimeWord(certificate)}`, /deleted/);
  }

  async #listed(path: string): Promise<ReadonlySet<string>> {
    const command = `show ssl crt-list -n ${runtimeWord(path)}`;
    const answer = await this.#runtime.ask(command);
    if (!answer.startsWith('#')) throw new RuntimeError(command, answer);
    const [, ...shown] = linesOf(answer);
    return new Set(shown.map((line) => line.replace(/:\d+$/, '')));
  }

  /** All at once, as new versions: clients see either the old or the new patterns, consistently over several files. */
  async #putPatterns(files: readonly FileModel[]): Promise<void> {
    const commits: string[] = [];
    for (const { path, content } of files) {
      const file = runtimeWord(path);
      const answer = await this.#runtime.ask(`prepare acl ${file}`);
      const [, version] = /New version created: (\d+)/.exec(answer) ?? [];
      if (version === undefined) throw new RuntimeError(`prepare acl ${path}`, answer);
      for (const pattern of linesOf(content))
        await this.#runtime.tell(`add acl @${version} ${file} ${runtimeWord(pattern)}`);
      commits.push(`commit acl @${version} ${file}`);
    }
    while (commits.length > 0) await this.#runtime.tell(commits.splice(0, mostCommits).join(';'));
  }
}
