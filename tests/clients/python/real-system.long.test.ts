// The client in Python without an event loop against a real installation.
import { testWithRealInstallation } from '../support/real-clients.ts';
import { pythonClient } from './python-program.ts';

testWithRealInstallation(pythonClient('sync'));
