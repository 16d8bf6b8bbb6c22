"""Two small files of a lake: flights, one of which never left, and the airlines that flew them."""
FLIGHTS = """month,day,dep_time,dep_delay,carrier,flight,origin,dest,distance,hour
1,1,517,2,UA,1545,EWR,IAH,1400,5
1,1,533,4,UA,1714,LGA,IAH,1416,5
1,2,NA,NA,UA,1,LGA,IAH,1416,5
2,1,542,60,AA,1141,JFK,MIA,1089,17
2,1,554,-6,AA,461,LGA,ATL,762,17
"""
AIRLINES = "carrier,name\nUA,United Air Lines Inc.\nAA,American Airlines Inc.\n"
