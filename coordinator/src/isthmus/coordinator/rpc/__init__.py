"""The actions over gRPC. Each service is one table from method to function; one adapter turns tables into handlers.

Handlers know messages, actions know values. Errors leave through one interceptor.
"""
