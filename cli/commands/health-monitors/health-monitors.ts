// `tidegate health-monitors`.
import { kindNoun } from '../../kinds/kind-noun.ts';

export const healthMonitors = kindNoun('PoolHealthMonitor');
