/** The gateway's options for a simulator of trades named SYM0… */
export function simulatorOptions(symbols: number, rate: number, payloadBytes: number): Record<string, string | number> {
  return {
    'source.simulator.symbols': symbols,
    'source.simulator.types': 'trade',
    'source.simulator.rate': rate,
    'source.simulator.payloadBytes': payloadBytes,
  };
}
