// Designate's unpacked packages, beside those of Neutron and Keystone.
import { join } from 'node:path';
import { ensureCached } from '../../../../lab/neutron/cache.ts';
import { unpackPackages } from '../../../../lab/neutron/packages.ts';

/** What Designate imports beside what Neutron and Keystone do; found as theirs was. */
const packages = ['python3-designate', 'designate-common', 'python3-tenacity', 'python3-tooz', 'python3-voluptuous'];

/** The packages' files, as in a root folder. Needs the network unless they are there. */
export async function ensureDesignateCache(folder: string): Promise<string> {
  const made = await ensureCached({
    ...{ folder, name: 'designate', content: packages.join(' ') },
    make: (part) => unpackPackages(packages, join(part, 'root')),
  });
  return join(made, 'root');
}
