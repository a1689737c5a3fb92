"""The jars that make a Kafka broker: each one's coordinates and its SHA-256 in base64.

What jgo resolves for org.apache.kafka:kafka_2.13, and log4j-slf4j-impl, without which the broker logs nothing.
"""

KAFKA = "4.3.1"

JARS = """
at.yawk.lz4:lz4-java:1.10.2 JS2r1YbSIUmjFmGor8GlB0dxTrGimL1KbngMjJGhOGY=
com.dynatrace.hash4j:hash4j:0.22.0 IwKKP9AG5TC/SV9VEIMggYfK/Y+AYk0EjrpWRC8WpQ4=
com.fasterxml.jackson.core:jackson-annotations:2.21 U8oIX0oVD3A/SeGqvZNb0DtD4eo9VdE1Q4KSryLO9Ws=
com.fasterxml.jackson.core:jackson-core:2.21.2 EuhlWxACZ7RNDxTQGx9QgqUQXmFhdNxDB74adh6SQHs=
com.fasterxml.jackson.core:jackson-databind:2.21.2 jJgvAfFI2AXwqqwjOQESRHV+DffG/4lR8vo/QzuO2Ek=
com.fasterxml.jackson.dataformat:jackson-dataformat-csv:2.21.2 aC+MeXfgKkJ0hCa/VJRuMuUuL4C4S2ZCgBqxK9VBNoo=
com.fasterxml.jackson.dataformat:jackson-dataformat-yaml:2.21.2 0lVRgS+gwU83yrqpQB5j6tzqQs42MRGDr1Yi1byKG8c=
com.fasterxml.jackson.datatype:jackson-datatype-jdk8:2.21.2 5YG78/xWItFrVzZt1B4Q/FaSH7ICh53i70h/h92bMOc=
com.github.ben-manes.caffeine:caffeine:3.2.0 7EEd/fDAPyUhhkjOiYYWMLcWgOWFippyeOusjlXKs9c=
com.github.luben:zstd-jni:1.5.6-10 tsMjfiS4JSpanDoOGuMO+PMjQS50vTWFSLep5SfWdt8=
com.google.re2j:re2j:1.8 e1LHIVbdf5izI3pbNcHTT7o4GyEEjIkgiROtgKRd+9c=
com.typesafe.scala-logging:scala-logging_2.13:3.9.6 CtDD9NidU4s7bDABWFVeJmqmnPG19lIquotbrSOOuZQ=
com.yammer.metrics:metrics-core:2.2.0 a3oUpvNMEPhoP3teLznfDwe1jH3/DkaOu8cTkFxGl5w=
commons-beanutils:commons-beanutils:1.11.0 nkS6aOyaPyEob6Kou7ADtzXA9pEBu0MUS3n0+KqnRwk=
commons-collections:commons-collections:3.2.2 7urpF5FxRKaKdB1MDf9mqlxcX9hVk/8he87T/Iyng7g=
commons-digester:commons-digester:2.1 4LK5gKhPxlM8XOKR8ZF7MsUH9ivK1kGY//RDaMIZaj0=
commons-logging:commons-logging:1.3.5 bXp0TkAnZJ+7UIld+Ul9EJ+Yx2amNwYv6NLqu7MUC6Q=
commons-validator:commons-validator:1.10.1 7XRxGnjXk8o39gdeSh6T0QcjPf0g0LsX4yutiNOOVqo=
net.sf.jopt-simple:jopt-simple:5.0.4 3ybMWPI19HfbB/dTulo6skPr5Xidn4ns9o3WLqmmbCg=
net.sourceforge.argparse4j:argparse4j:0.7.0 Zc62adiPYzBsaA+AiLv3ZbvKctKIphoDcDAAB2w9P1Y=
org.apache.kafka:kafka-clients:4.3.1 UlAbe0dRDGb4mIca2vbSloq3JGVh1EztQ2Q6ilh/CzY=
org.apache.kafka:kafka-coordinator-common:4.3.1 ZqhrjIlxghb/py/k5EudG980cuTLkgDDagdCol/rvbo=
org.apache.kafka:kafka-group-coordinator-api:4.3.1 2BvBo3Of9smyGBW6rgACIwY0KhbT2U5qJiEgG5mAow0=
org.apache.kafka:kafka-group-coordinator:4.3.1 SrVtAC4WJBhch0GZ6eD/skPb659otNDK30jOL2F6ESY=
org.apache.kafka:kafka-metadata:4.3.1 TXOpbGR0pOvdZ6HO4U2hqUz9a7nm4lJoW6VmfYq3+Jg=
org.apache.kafka:kafka-raft:4.3.1 Rqu/iYBt0i2Ejpl837FDFSTKtOyI44p9KAbiCySnBgk=
org.apache.kafka:kafka-server-common:4.3.1 18cZ90lXmjmQEfDfdBTeinjxDwdKYSLKpVD9sUE1FXU=
org.apache.kafka:kafka-server:4.3.1 Adc2WZ7DsM27BIDBUhkXCyjNrhiXhefwxvHyblKOrrw=
org.apache.kafka:kafka-share-coordinator:4.3.1 jO7tc0YSfmUupcZQsheJCq/xSRn5Z9J/rc5CB0W9MGY=
org.apache.kafka:kafka-storage-api:4.3.1 vCsiY5+lVElEYdEB1ZngG66EDZfE9G4Y/fPS/kGkcJg=
org.apache.kafka:kafka-storage:4.3.1 l+P6zd0pFKWPKOyR7zX42mmWPqs2URlul/SHkk9trJg=
org.apache.kafka:kafka-tools-api:4.3.1 3PZ4V0LgyKsRoPwJxi8RkuEemX3GKWaajbgqpA2TPDE=
org.apache.kafka:kafka-transaction-coordinator:4.3.1 xkqqKojY/TgsSAAgSHKRdoblQgQ8eRbJ6Hl9k52OsxM=
org.apache.kafka:kafka_2.13:4.3.1 sJir71/4eOdvYM1sVZubqlZjzLG1Xyg3VYsiwynTJCM=
org.apache.logging.log4j:log4j-api:2.25.4 xLZCp/BHJ1IV3hF+DjhH6yx3EdhKCqdDPns8CW2vNB0=
org.apache.logging.log4j:log4j-core:2.25.4 EP7iwEhdVPpE7nXTFPYpVQj3uTIoGHPbYakbiAcyAOY=
org.apache.logging.log4j:log4j-slf4j-impl:2.25.4 esaKCvzIPVT0jRFteTcKQ/CiprcbXB1t2pQ7tqld26o=
org.bitbucket.b_c:jose4j:0.9.6 cxSvUM3pyZ6Or0Pu5heiPtzGu0MDYiEGQ1UJSZnYN+8=
org.hdrhistogram:HdrHistogram:2.2.2 ItHUMWxOwTpotVnpjIJW1pBxWTcx2pYTZkD4ZPoU+tg=
org.jspecify:jspecify:1.0.0 H61ua+dVd4Hk0zcp1Jrhzcj92m/kd7sMxozjUer9+6s=
org.pcollections:pcollections:4.0.2 K77vV5eiQTAMT3UTzVRiOWKe197aT8DDHfkLuV9fE+8=
org.scala-lang:scala-library:2.13.18 ToXZb/e8fcYnmFUjw1QbmReqoI6VY5E4DELbIaLE5aA=
org.scala-lang:scala-reflect:2.13.18 aTX/GYKyrJPWlfFapmkhvi9gKSEnev4ALwGP2MfW4ps=
org.slf4j:slf4j-api:1.7.36 0+9XXj5JeWeNwBvx3M5RAhSTtNEft/G+itmCh3wWocA=
org.xerial.snappy:snappy-java:1.1.10.7 THZss/hVQV7nNLI5KUmgtvEqYIeTNKdFGN6vYnDTLjY=
org.yaml:snakeyaml:2.5 5mgqzxrOd1CO8TZJy/T40J0s9UV722HSX/tqwCM9eN0=
"""
