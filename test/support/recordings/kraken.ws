wss://ws.kraken.com <-> 1617100000.0
wss://ws.kraken.com <- 1617100000.1: {"event":"subscribe","pair":["ABC/EUR"],"subscription":{"name":"book","depth":10}}
1617100000.2: {"event":"systemStatus","status":"online","version":"1.8.1"}
1617100000.3: {"channelID":1,"channelName":"book-10","event":"subscriptionStatus","pair":"ABC/EUR","status":"subscribed","subscription":{"depth":10,"name":"book"}}
1617100000.4: [1,{"as":[["5.1000","2.0","1617100000.310000"]],"bs":[["5.0000","3.0","1617100000.300000"],["4.9000","1.0","1617100000.200000"]]},"book-10","ABC/EUR"]
1617100000.5: {"event":"heartbeat"}
1617100000.6: [1,{"a":[["5.1000","0.0","1617100000.550000"]]},{"b":[["5.0500","1.0","1617100000.560000"]],"c":"1"},"book-10","ABC/EUR"]
1617100000.7: [2,[["5.0500","0.7","1617100000.650000","b","m",""],["5.0500","0.3","1617100000.660000","s","l",""]],"trade","ABC/EUR"]
