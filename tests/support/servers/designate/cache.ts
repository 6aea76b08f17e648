// Designate's unpacked packages, next to those of Neutron and Keystone.
import { join } from 'node:path';
import { ensureCached } from '../../../../lab/neutron/cache.ts';
import { unpackPackages } from '../../../../lab/neutron/packages.ts';

/** Packages that Designate imports in addition to those of Neutron and Keystone, found in the same way. */
const packages = ['python3-designate', 'designate-common', 'python3-tenacity', 'python3-tooz', 'python3-voluptuous'];

/** The packages' files, laid out like a root folder. Needs the network unless they are cached. */
export async function ensureDesignateCache(folder: string): Promise<string> {
  const made = await ensureCached({
    ...{ folder, name: 'designate', content: packages.join(' ') },
    make: (part) => unpackPackages(packages, join(part, 'root')),
  });
  return join(made, 'root');
}
