wss://fstream.binance.com/stream <-> 1625130000.0
1625130000.1: {"stream":"abcusdt@aggTrade","data":{"e":"aggTrade","E":1625130000090,"a":1,"s":"ABCUSDT","p":"10","q":"2","f":1,"l":1,"T":1625130000080,"m":false}}
this line has no time
1625130000.2: {"stream":"abcusdt@aggTrade","data":{"e":"aggTrade","E":1625130000190,"a":2,"s":"ABCUSDT","p":"11","q":"2","f":2,"l":2,"T":1625130000180,"m":false}}
1625130000.3: {"stream":"abcusdt@aggTr