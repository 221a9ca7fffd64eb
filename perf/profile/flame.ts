/**
 * Where the CPU time of the primary thread goes: clinic flame on the gateway under load. Report in .clinic/.
 *
 * use: node perf/profile/flame.ts [--connections N] [--rate N] [--seconds N]
 */
import { runClinic } from './clinic.ts';

process.exit(await runClinic('flame', process.argv.slice(2)));
