/**
 * What kind of trouble the primary thread has, if any: clinic doctor on the gateway under load. Report in .clinic/.
 *
 * use: node perf/profile/doctor.ts [--connections N] [--rate N] [--seconds N]
 */
import { runClinic } from './clinic.ts';

process.exit(await runClinic('doctor', process.argv.slice(2)));
