wss://ws-feed.pro.coinbase.com <-> 1617000000.5
wss://ws-feed.pro.coinbase.com <- 1617000000.6: {"type":"subscribe","product_ids":["ABC-EUR"],"channels":["level2","ticker","matches"]}
1617000000.7: {"type":"subscriptions","channels":[{"name":"level2","product_ids":["ABC-EUR"]}]}
1617000000.8: {"type":"snapshot","product_id":"ABC-EUR","asks":[["2.01","10"],["2.02","20"]],"bids":[["1.99","30"]]}
1617000000.9: {"type":"last_match","trade_id":1,"side":"sell","size":"1","price":"2.00","product_id":"ABC-EUR","sequence":5,"time":"2021-03-29T06:40:00.100000Z"}
1617000001.0: {"type":"match","trade_id":2,"side":"sell","size":"1.5","price":"2.01","product_id":"ABC-EUR","sequence":6,"time":"2021-03-29T06:40:00.990000Z"}
1617000001.1: {"type":"ticker","sequence":6,"product_id":"ABC-EUR","price":"2.01","open_24h":"2.00","volume_24h":"99.5","low_24h":"1.90","high_24h":"2.10","best_bid":"1.99","best_ask":"2.02","side":"buy","time":"2021-03-29T06:40:00.990000Z","trade_id":2,"last_size":"1.5"}
1617000001.2: {"type":"l2update","product_id":"ABC-EUR","changes":[["sell","2.01","0"],["buy","1.98","4"]],"time":"2021-03-29T06:40:01.190000Z"}
