// When the certificates that this process uses end, for Prometheus: that of the public endpoint, and those for its peers by role.
import { X509Certificate } from 'node:crypto';
import { Gauge, type Registry } from 'prom-client';

interface UsedCertificate {
  readonly use: 'public' | 'internal';
  /** The role that uses it. */
  readonly role: string;
}

type ReadPem = () => string;

const watched = new WeakMap<Registry, Map<string, { readonly used: UsedCertificate; readonly pem: ReadPem }>>();

/** `pem`: the certificate in use, read at each scrape because it may be renewed. Of a chain, the first one counts. */
export function watchCertificateEnd(registry: Registry, used: UsedCertificate, pem: ReadPem): void {
  const certificates = watched.get(registry) ?? new Map();
  certificates.set(`${used.use} ${used.role}`, { used, pem });
  if (watched.has(registry)) return;
  watched.set(registry, certificates);
  new Gauge({
    name: 'tidegate_certificate_end_seconds',
    help: 'When a certificate that this process uses ends, in seconds since 1970; use: public, or internal for peers.',
    labelNames: ['use', 'role'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { used, pem } of certificates.values()) {
        const endMs = endOf(pem());
        if (endMs !== undefined) this.set({ ...used }, endMs / 1000);
      }
    },
  });
}

/** Undefined for a text that is no certificate: a fault of one must not hide the other metrics. */
function endOf(pem: string): number | undefined {
  try {
    return new X509Certificate(pem).validToDate.getTime();
  } catch {
    return undefined;
  }
}
