// `tidegate health-monitors`.
import { kindNoun } from '../../kinds/noun.ts';

export const healthMonitors = kindNoun('PoolHealthMonitor');
