wss://stream.bybit.com/realtime_public <-> 1617200000.0
wss://stream.bybit.com/realtime_public <- 1617200000.1: {"op":"subscribe","args":["trade.ABCUSDT","orderBookL2_25.ABCUSDT"]}
1617200000.2: {"success":true,"ret_msg":"","conn_id":"c1","request":{"op":"subscribe","args":["trade.ABCUSDT"]}}
1617200000.3: {"topic":"orderBookL2_25.ABCUSDT","type":"snapshot","data":{"order_book":[{"price":"7.10","symbol":"ABCUSDT","id":"71000","side":"Buy","size":4},{"price":"7.20","symbol":"ABCUSDT","id":"72000","side":"Sell","size":5}]},"cross_seq":"1","timestamp_e6":"1617200000250000"}
1617200000.4: {"topic":"orderBookL2_25.ABCUSDT","type":"delta","data":{"delete":[{"price":"7.10","symbol":"ABCUSDT","id":"71000","side":"Buy"}],"update":[{"price":"7.20","symbol":"ABCUSDT","id":"72000","side":"Sell","size":6}],"insert":[]},"cross_seq":"2","timestamp_e6":"1617200000350000"}
1617200000.5: {"topic":"trade.ABCUSDT","data":[{"symbol":"ABCUSDT","tick_direction":"PlusTick","price":"7.20","size":0.5,"timestamp":"2021-03-31T14:13:20.000Z","trade_time_ms":"1617200000450","side":"Buy","trade_id":"t-1"}]}
