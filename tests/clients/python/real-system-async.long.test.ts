// The client in Python with asyncio against a real installation.
import { testWithRealInstallation } from '../support/real-clients.ts';
import { pythonClient } from './python-program.ts';

testWithRealInstallation(pythonClient('async'));
