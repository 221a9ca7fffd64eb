wss://fstream.binance.com/stream?streams=abcusdt@aggTrade/abcusdt@depth@100ms/abcusdt@kline_1m/abcusdt@bookTicker <-> 1625130000.0
1625130000.1: {"stream":"abcusdt@bookTicker","data":{"e":"bookTicker","u":11,"s":"ABCUSDT","b":"10.10","B":"3","a":"10.20","A":"4","T":1625130000080,"E":1625130000085}}
1625130000.2: {"stream":"abcusdt@depth@100ms","data":{"e":"depthUpdate","E":1625130000190,"T":1625130000185,"s":"ABCUSDT","U":12,"u":14,"pu":11,"b":[["10.10","5"],["10.00","0"]],"a":[["10.30","7.5"]]}}
1625130000.3: {"stream":"abcusdt@aggTrade","data":{"e":"aggTrade","E":1625130000290,"a":77,"s":"ABCUSDT","p":"10.15","q":"2","f":1,"l":1,"T":1625130000280,"m":true}}
1625130000.4: {"stream":"abcusdt@kline_1m","data":{"e":"kline","E":1625130000390,"s":"ABCUSDT","k":{"t":1625130000000,"T":1625130059999,"s":"ABCUSDT","i":"1m","f":1,"L":1,"o":"10.15","c":"10.15","h":"10.15","l":"10.15","v":"2","n":1,"x":false,"q":"20.3","V":"0","Q":"0","B":"0"}}}
1625130000.5: {"stream":"abcusdt@bookTicker","data":{"e":"bookTicker","u":15,"s":"ABCUSDT","b":"10.11","B":"3","a":"10.20","A":"4","T":1625130000480,"E":1625130000485}}
