// SQL of what a project has.
import type { Sql } from '../../../platform/database/database.ts';
import { countHeld } from '../../../platform/projects.ts';

export function heldBy(sql: Sql, projectId: string): Promise<readonly string[]> {
  return countHeld(sql, projectId, {
    GSLBs: 'SELECT COUNT(*) AS count FROM gslb WHERE project_id = ? AND live_fqdn IS NOT NULL',
    'GSLB pools': 'SELECT COUNT(*) AS count FROM gslb_pool WHERE project_id = ? AND live_name IS NOT NULL',
    'GSLB monitors': 'SELECT COUNT(*) AS count FROM gslb_monitor WHERE project_id = ? AND live_name IS NOT NULL',
  });
}
