/** Prints what an ecosystem file makes of this environment, as pm2 reads it. */
const { apps } = (await import(process.argv[2]!)) as { apps: unknown };
console.log(JSON.stringify(apps));
