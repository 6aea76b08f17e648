// Downloads and unpacks the packages that OpenStack tests need, before a run without network access. Arguments:
// neutron, designate.
import { silentLog } from '../../../embedded/setup-log.ts';
import { ensureNeutronCache } from '../../../lab/neutron/cache.ts';
import { neutronObstacle, usualCacheFolder } from '../../../lab/neutron.ts';
import { ensureDesignateCache } from './designate/cache.ts';

// Where the services can't run, their tests are skipped.
if ((await neutronObstacle()) === undefined) {
  await ensureNeutronCache(usualCacheFolder(), silentLog);
  if (process.argv.includes('designate')) await ensureDesignateCache(usualCacheFolder());
}
