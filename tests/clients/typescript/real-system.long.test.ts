// The client in TypeScript against a real installation.
import { carryOutTasks } from '../support/check-tasks.ts';
import { testWithRealInstallation } from '../support/real-clients.ts';

testWithRealInstallation(carryOutTasks);
